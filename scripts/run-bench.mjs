// `npm run bench:NAME`: builds holdfast and the benchmarks of bench/, which Node 20 cannot run as TypeScript, and
// runs the one that is named: `node scripts/run-bench.mjs rdb`.
import path from 'node:path';
import { ensureBuild, ensureDependencies, root, run } from './setup.mjs';

const [name, ...args] = process.argv.slice(2);
ensureDependencies();
ensureBuild();
run('npx', ['tsc', '-p', 'tsconfig.bench.json']);
run(process.execPath, [path.join(root, '.setup', 'bench', 'bench', `${name}.js`), ...args]);
