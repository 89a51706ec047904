// BullMQ's tests, a file at a time, after `npm install` and `npm run pretest` in its checkout.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const needsOthers = /^(cluster|bun-redis|bun-adapter-suite|node-redis|adapter-conformance)\./;
/** They run with a configuration of their own. */
const ofIoredis = /^(connection|sandboxed_process)\./;

export function units(folder) {
  return readdirSync(path.join(folder, 'tests'))
    .filter((name) => name.endsWith('.test.ts') && !needsOthers.test(name))
    .sort();
}

export async function run(unit, { folder, runProgram }) {
  const report = path.join(folder, 'holdfast-report.json');
  rmSync(report, { force: true });
  const config = ofIoredis.test(unit) ? ['--config', 'vitest.ioredis.config.ts'] : [];
  const args = [
    'vitest',
    'run',
    '--no-file-parallelism',
    ...config,
    '--reporter=json',
    `--outputFile=${report}`,
    `tests/${unit}`,
  ];
  const { ended } = await runProgram('npx', args);
  if (ended !== null) return { passed: [], failed: [], ended };
  const tests = JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(
    ({ assertionResults }) => assertionResults,
  );
  const names = (status) => tests.filter((each) => each.status === status).map(({ fullName }) => fullName);
  return { passed: names('passed'), failed: names('failed'), ended };
}
