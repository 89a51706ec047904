// ioredis's tests with a server (test/functional), after `npm ci` in its checkout. Its unit tests need none.
import { readFileSync } from 'node:fs';
import path from 'node:path';

export function units() {
  return ['test/functional'];
}

export async function run(unit, { folder, runProgram }) {
  const report = path.join(folder, 'holdfast-report.json');
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${report}`];
  // On a busy machine a long pipeline takes longer than its own 8 s, and then the rest is not run.
  const args = [
    'mocha',
    '--timeout',
    '60000',
    ...reporter,
    'test/helpers/*.ts',
    unit.endsWith('.ts') ? unit : `${unit}/**/*.ts`,
  ];
  const env = { TS_NODE_TRANSPILE_ONLY: 'true', NODE_ENV: 'test' };
  const { ended } = await runProgram('npx', args, { env });
  if (ended !== null) return { passed: [], failed: [], ended };
  const { passes, failures } = JSON.parse(readFileSync(report, 'utf8'));
  const names = (tests) => tests.map(({ fullTitle }) => fullTitle);
  return { passed: names(passes), failed: names(failures), ended };
}
