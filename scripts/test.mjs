// `npm test`: make the machine ready, then check everything. Arguments go to vitest: `npm test -- src/rdb`.
import { ensureBuild, ensureDependencies, ensurePrograms, run } from './setup.mjs';

ensurePrograms('test');
ensureDependencies();
ensureBuild();

const wanted = process.argv.slice(2);
if (wanted.length === 0) {
  run('npm', ['run', '--silent', 'typecheck']);
  run('npm', ['run', '--silent', 'lint']);
  run('npm', ['run', '--silent', 'knip']);
}
run('npx', ['vitest', 'run', ...wanted]);
