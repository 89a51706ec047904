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
if (wanted.length > 0) run('npx', ['vitest', 'run', ...wanted]);
else {
  // One after the other: tests with real servers are about time, and should have the machine to themselves.
  run('npx', ['vitest', 'run', '--project', 'unit']);
  run('npx', ['vitest', 'run', '--project', 'real']);
}
