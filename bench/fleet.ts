/**
 * Times a second `apply` and its plan alone (`--dry-run`) of a deployment on many hosts, which are simulated
 * (simulated-hosts.ts). Ends with 1 when a median is over 10 s.
 *
 * Usage: npm run bench:fleet [-- --hosts 100 --rounds 5]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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

/** What the processes that this one waited for, and theirs, took of the processors. Linux: USER_HZ is 100 everywhere. */
function childrensCpu(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function timed(...args: string[]): { seconds: number; cpu: number } {
  const began = { at: performance.now(), cpu: childrensCpu() };
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
  return { seconds: (performance.now() - began.at) / 1000, cpu: childrensCpu() - began.cpu };
}

try {
  simulateHosts(folder, root, Number(values.hosts));
  for (const [what, args] of [
    ['plan', ['--dry-run']],
    ['second apply', ['--yes']],
  ] as const) {
    const rounds = Array.from({ length: Number(values.rounds) }, () => timed(...args));
    const sorted = (each: readonly number[]) => each.toSorted((a, b) => a - b);
    const middle = (each: readonly number[]) => sorted(each)[Math.floor(each.length / 2)] ?? 0;
    const seconds = rounds.map((each) => each.seconds);
    const median = middle(seconds);
    const worst = Math.max(...seconds);
    const cpu = middle(rounds.map((each) => each.cpu));
    console.log(
      `${what} of ${values.hosts} hosts: median ${median.toFixed(2)} s, worst ${worst.toFixed(2)} s; ${cpu.toFixed(2)} s of processor time in the median, all processes`,
    );
    if (median > promisedSeconds) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
