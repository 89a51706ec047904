// `npm start`: make the machine ready, then bring up the quickstart deployment (or the spec that is named).
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ensureBuild, ensureDependencies, ensurePrograms, root } from './setup.mjs';

ensurePrograms('run');
ensureDependencies();
ensureBuild();

const args =
  process.argv.length > 2 ? process.argv.slice(2) : [path.join(root, 'examples', 'quickstart.yaml')];
const child = spawn(process.execPath, [path.join(root, 'dist', 'cli', 'main.js'), 'up', ...args], {
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to both of us: the child stops what it started, and we end as it does.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
}
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
