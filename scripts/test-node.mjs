// `npm run test:node -- 24`: the tests under another version of Node.js, which is brought by npm for that and kept in
// .setup/. What follows the version goes to vitest: `npm run test:node -- 22 --project unit src/rdb`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { root, run } from './setup.mjs';

const [wanted = '', ...args] = process.argv.slice(2);
if (!/^\d+(\.\d+){0,2}$/.test(wanted)) {
  console.error('test:node: say which version of Node.js: npm run test:node -- 24');
  process.exit(2);
}

const folder = path.join(root, '.setup', `node-${wanted}`);
// The package `node` only chooses among these, with a script that npm does not run here.
const name = `node-${process.platform}-${process.arch}`;
const bin = path.join(folder, 'node_modules', name, 'bin');
if (!existsSync(path.join(bin, 'node'))) {
  mkdirSync(folder, { recursive: true });
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  run('npm', ['install', '--prefix', folder, ...quiet, `${name}@${wanted}`]);
}
const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
const { stdout } = spawnSync('node', ['--version'], { env, encoding: 'utf8' });
console.error(`Node.js ${stdout.trim()}`);
run('node', [path.join(root, 'scripts', 'test.mjs'), ...args], { env });
