/**
 * Times a second `apply` and its plan alone (`--dry-run`) of a deployment on many hosts, which are simulated
 * (simulated-hosts.ts). Ends with 1 when a median is over 10 s.
 *
 * Usage: npm run bench:fleet [-- --hosts 100 --rounds 5]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { simulateHosts } from './simulated-hosts.ts';

const { values } = parseArgs({
  options: { hosts: { type: 'string', default: '100' }, rounds: { type: 'string', default: '5' } },
});
const promisedSeconds = 10;
const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(path.join(os.tmpdir(), 'hf-bench-fleet-'));

function timed(...args: string[]): number {
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'dist', 'cli', 'main.js'), 'apply', ...args],
    {
      cwd: folder,
      env: { ...process.env, PATH: `${folder}/bin:${process.env['PATH']}`, HOME: folder },
      encoding: 'utf8',
    },
  );
  if (status !== 0 || !stdout.includes('Nothing to do')) throw new Error(`${stdout}${stderr}`);
  return (performance.now() - began) / 1000;
}

try {
  simulateHosts(folder, root, Number(values.hosts));
  for (const [what, args] of [
    ['plan', ['--dry-run']],
    ['second apply', ['--yes']],
  ] as const) {
    const seconds = Array.from({ length: Number(values.rounds) }, () => timed(...args)).sort((a, b) => a - b);
    const median = seconds[Math.floor(seconds.length / 2)] ?? 0;
    console.log(
      `${what} of ${values.hosts} hosts: median ${median.toFixed(2)} s, worst ${seconds.at(-1)?.toFixed(2)} s`,
    );
    if (median > promisedSeconds) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
