// `npm test`: make the machine ready, then check everything. Arguments go to vitest: `npm test -- src/rdb`. Only `--whole` does
// not: it adds what takes too long for each time (HOLDFAST_TESTS=whole, test/support/whole-run.ts).
import { ensureBuild, ensureDependencies, ensurePrograms, run } from './setup.mjs';
import { ensureValkey } from './valkey.mjs';

ensurePrograms('test');
ensureDependencies();
ensureBuild();
ensureValkey();

const args = process.argv.slice(2);
const wanted = args.filter((arg) => arg !== '--whole');
if (wanted.length < args.length) process.env.HOLDFAST_TESTS = 'whole';
if (wanted.length > 0) run('npx', ['vitest', 'run', ...wanted]);
else {
  run('npm', ['run', '--silent', 'typecheck']);
  run('npm', ['run', '--silent', 'lint']);
  run('npm', ['run', '--silent', 'knip']);
  // Apart from each other: the first take all of the machine, the others mostly wait.
  run('npx', ['vitest', 'run', '--project', 'unit']);
  run('npx', ['vitest', 'run', '--project', 'real']);
}
