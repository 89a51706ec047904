import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeHugeValueFile, makeMixedFile } from './rdb-data.ts';

/**
 * Times the RDB verbs as whole processes, beside redis-check-rdb on the same file and in turns with it, and reads
 * what each took of the processors and the most memory it had (VmHWM of Linux). MB/s are of input. redis-check-rdb
 * writes nothing, so the output of what is compared with it goes to memory (/dev/shm where there is one) or nowhere;
 * rows that say `to disk` write a file and wait until the disk has it.
 *
 * Usage: npm run bench:rdb [-- --keys 2000000 --rounds 3 --folder DIR]
 */
const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '2000000' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: path.join(os.tmpdir(), 'holdfast-bench-rdb') },
  },
});
const keys = Number(values.keys);
const rounds = Number(values.rounds);
const { folder } = values;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const main = path.join(root, 'dist', 'cli', 'main.js');
const memory = existsSync('/dev/shm') ? '/dev/shm' : folder;
const out = path.join(memory, `holdfast-bench-rdb-${process.pid}`);
const disk = path.join(folder, 'out');

interface Measured {
  seconds: number;
  /** Of all its threads, user and system; NaN where there is no /proc. */
  cpuSeconds: number;
  peakMib: number;
}

interface Job {
  name: string;
  /** Bytes that are read. */
  bytes: number;
  command: [program: string, ...args: string[]];
  goal?: { text: string; isMet: (mbPerSecond: number, reference: number) => boolean };
}

/** What children that have ended took of the processors so far, in ticks of 10 ms. */
function childCpuSeconds(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return Number.NaN;
  }
}

async function measure([program, ...args]: Job['command']): Promise<Measured> {
  const cpuBefore = childCpuSeconds();
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  let peakKib = 0;
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peakKib = Math.max(peakKib, Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has ended, or this is not Linux.
    }
  };
  const timer = setInterval(look, 5);
  const [status] = (await once(child, 'exit')) as [number | null];
  clearInterval(timer);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, cpuSeconds: childCpuSeconds() - cpuBefore, peakMib: peakKib / 1024 };
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function holdfast(...args: string[]): Job['command'] {
  return [process.execPath, main, 'rdb', ...args];
}

async function measureAll(jobs: Job[]): Promise<void> {
  const results = new Map<string, Measured[]>(jobs.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, command } of jobs) {
      for (const place of [out, disk]) mkdirSync(place, { recursive: true });
      results.get(name)!.push(await measure(command));
      for (const place of [out, disk]) rmSync(place, { recursive: true, force: true });
    }
  }
  const secondsOf = ({ name }: Job) => median(results.get(name)!.map(({ seconds }) => seconds));
  const rate = (job: Job) => job.bytes / 1e6 / secondsOf(job);
  const reference = rate(jobs[0]!);
  console.log(`${'what'.padEnd(34)} MB/s   times check-rdb   wall s   CPU s   peak MiB   goal`);
  for (const job of jobs) {
    const speed = rate(job);
    const cpu = median(results.get(job.name)!.map(({ cpuSeconds }) => cpuSeconds));
    const peak = Math.max(...results.get(job.name)!.map(({ peakMib }) => peakMib));
    const verdict =
      job.goal === undefined
        ? ''
        : `${job.goal.text}: ${job.goal.isMet(speed, reference) ? 'met' : 'MISSED'}`;
    console.log(
      `${job.name.padEnd(34)} ${speed.toFixed(0).padStart(4)} ${(speed / reference).toFixed(2).padStart(17)} ` +
        `${secondsOf(job).toFixed(2).padStart(8)} ${cpu.toFixed(2).padStart(7)} ` +
        `${peak.toFixed(0).padStart(10)}   ${verdict}`,
    );
  }
}

process.once('exit', () => rmSync(out, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
mkdirSync(folder, { recursive: true });
const mixed = path.join(folder, `mixed-${keys}.rdb`);
await makeMixedFile(mixed, keys);
const bytes = statSync(mixed).size;
console.log(
  `${mixed}: ${keys} keys, ${(bytes / 1e6).toFixed(0)} MB; ${rounds} rounds, medians; Node ${process.version}\n`,
);
const merged = path.join(out, 'merged.rdb');
const onDisk = path.join(disk, 'merged.rdb');
await measureAll([
  { name: 'redis-check-rdb', bytes, command: ['redis-check-rdb', mixed] },
  {
    name: 'verify',
    bytes,
    command: holdfast('verify', mixed),
    goal: { text: 'at least 1.0 times redis-check-rdb', isMet: (speed, reference) => speed >= reference },
  },
  { name: 'inspect', bytes, command: holdfast('inspect', mixed) },
  {
    name: 'merge, two files, no conflict',
    bytes: bytes * 2,
    command: holdfast('merge', '-o', merged, '--db', '2:0=1', mixed, mixed),
    goal: {
      text: 'at least 0.8 times redis-check-rdb',
      isMet: (speed, reference) => speed >= 0.8 * reference,
    },
  },
  {
    name: 'merge, no conflict, to disk',
    bytes: bytes * 2,
    command: holdfast('merge', '-o', onDisk, '--db', '2:0=1', mixed, mixed),
  },
  {
    name: 'merge, two files, all in conflict',
    bytes: bytes * 2,
    command: holdfast('merge', '-o', merged, '--on-conflict', 'first', '--json', mixed, mixed),
  },
  {
    name: 'filter, half of the keys',
    bytes,
    command: holdfast('filter', '--sample', '50%', '-o', merged, mixed),
  },
  {
    name: 'json',
    bytes,
    command: holdfast('json', mixed),
    goal: { text: 'at least 60 MB/s', isMet: (speed) => speed >= 60 },
  },
  {
    name: 'resp',
    bytes,
    command: holdfast('resp', mixed),
    goal: { text: 'at least 150 MB/s', isMet: (speed) => speed >= 150 },
  },
  { name: 'json, to disk', bytes, command: holdfast('json', '-o', onDisk, mixed) },
  { name: 'resp, to disk', bytes, command: holdfast('resp', '-o', onDisk, mixed) },
  { name: 'memory', bytes, command: holdfast('memory', '-o', merged, mixed) },
  { name: 'diff, the same file twice', bytes: bytes * 2, command: holdfast('diff', mixed, mixed) },
]);

const huge = path.join(folder, 'huge.rdb');
await makeHugeValueFile(huge, 512 * 2 ** 20);
console.log('\nOne value of 512 MiB; the goal is a peak under 200 MiB\n');
const hugeBytes = statSync(huge).size;
await measureAll([
  { name: 'redis-check-rdb', bytes: hugeBytes, command: ['redis-check-rdb', huge] },
  { name: 'verify', bytes: hugeBytes, command: holdfast('verify', huge) },
  { name: 'merge', bytes: hugeBytes, command: holdfast('merge', '-o', merged, huge) },
  { name: 'split', bytes: hugeBytes, command: holdfast('split', '--by', '2', '-o', out, huge) },
  { name: 'filter', bytes: hugeBytes, command: holdfast('filter', '-o', merged, huge) },
]);
