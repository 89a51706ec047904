// `npm run bench:NAME`: builds holdfast, and runs `holdfast bench doors` for gate. The benchmarks of bench/, which
// Node 20 cannot run as TypeScript, are built too: `node scripts/run-bench.mjs rdb`.
import path from 'node:path';
import { ensureBuild, ensureDependencies, root, run } from './setup.mjs';

const verbs = { gate: ['bench', 'doors'] };

const [name, ...args] = process.argv.slice(2);
ensureDependencies();
ensureBuild();
if (name in verbs) {
  run(process.execPath, [path.join(root, 'dist', 'cli', 'main.js'), ...verbs[name], ...args]);
} else {
  run('npx', ['tsc', '-p', 'tsconfig.bench.json']);
  run(process.execPath, [path.join(root, '.setup', 'bench', 'bench', `${name}.js`), ...args]);
}
