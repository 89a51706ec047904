// `npm test`: make the machine ready, then check everything. Arguments go to vitest: `npm test -- src/rdb`.
import { ensureBuild, ensureDependencies, ensurePrograms, run } from './setup.mjs';
import { ensureValkey } from './valkey.mjs';

ensurePrograms('test');
ensureDependencies();
ensureBuild();
ensureValkey();

const wanted = process.argv.slice(2);
if (wanted.length === 0) {
  run('npm', ['run', '--silent', 'typecheck']);
  run('npm', ['run', '--silent', 'lint']);
  run('npm', ['run', '--silent', 'knip']);
}
// Tests with real servers mostly wait for them: two files at a time leave a machine of two cores room to breathe.
const atOnce = '--maxWorkers=2';
if (wanted.length > 0) run('npx', ['vitest', 'run', atOnce, ...wanted]);
else {
  // Apart from the unit tests, which take all of the machine.
  run('npx', ['vitest', 'run', '--project', 'unit']);
  run('npx', ['vitest', 'run', atOnce, '--project', 'real']);
}
