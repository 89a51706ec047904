// redis-py's tests, a file at a time, with the system's Python, pytest and its plugins. Tests of clusters, of Sentinels and of
// modules need servers that are not there, and are left out.
import { readdirSync } from 'node:fs';
import path from 'node:path';

const needsOthers =
  /test_(cluster|sentinel|graph|bloom|json|search|timeseries|ssl|cwe_404|sentinel_managed_connection)\.py$/;

export function units(folder) {
  return ['tests', 'tests/test_asyncio'].flatMap((below) =>
    readdirSync(path.join(folder, below))
      .filter((name) => name.startsWith('test_') && name.endsWith('.py') && !needsOthers.test(name))
      .sort()
      .map((name) => `${below}/${name}`),
  );
}

export async function run(unit, { skip, runProgram }) {
  const marks = 'not redismod and not onlycluster and not graph and not ssl';
  const left = skip.flatMap((each) => ['--deselect', each]);
  const args = [
    '-m',
    'pytest',
    '-p',
    'no:cacheprovider',
    '-rA',
    '-q',
    '--tb=short',
    '--timeout=60',
    '--timeout-method=signal',
    '-m',
    marks,
    ...left,
    unit,
  ];
  const { text, ended, status } = await runProgram('/usr/bin/python3', args);
  const names = (mark) =>
    [...text.matchAll(new RegExp(`^${mark} (tests/\\S+)`, 'gm'))].map(([, name]) => name);
  // 5: it collected no test.
  return {
    passed: names('PASSED'),
    failed: [...names('FAILED'), ...names('ERROR')],
    ended: ended ?? ([0, 1, 5].includes(status) ? null : `pytest ended with ${status}`),
  };
}
