import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { waitFor } from '../src/base/retry.ts';
import { freePorts } from '../src/process/free-ports.ts';
import { setRandomKeys } from './random-keys.ts';

/**
 * Times backups of one server into a folder beside `redis-cli --rdb` to a file, in turns, and reads the most memory
 * each had (VmHWM of Linux). The backup is verified, summed up and synced as well. Values are random bytes, which a server
 * with its default settings tries to compress and cannot; `--populate` takes those of DEBUG POPULATE, nearly all zeros,
 * for which `--rdbcompression no` is the fastest that a server can be.
 *
 * Usage: npm run bench:backup [-- --megabytes 500 --value 1000 --rounds 5 --populate --rdbcompression no
 *   --compression none --folder DIR]
 */
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '500' },
    value: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    populate: { type: 'boolean', default: false },
    rdbcompression: { type: 'string', default: 'yes' },
    compression: { type: 'string', default: 'none' },
    folder: { type: 'string', default: path.join(os.tmpdir(), 'holdfast-bench-backup') },
  },
});
const valueBytes = Number(values.value);
const keys = Math.round((Number(values.megabytes) * 1e6) / valueBytes);
const { folder } = values;

interface Measured {
  seconds: number;
  peakMib: number;
}

async function measure(program: string, args: string[]): Promise<Measured> {
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  let peakKib = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peakKib = Math.max(peakKib, Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has ended, or this is not Linux.
    }
  }, 5);
  const [status] = (await once(child, 'exit')) as [number | null];
  clearInterval(timer);
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${said}`);
  return { seconds: (performance.now() - started) / 1000, peakMib: peakKib / 1024 };
}

async function fill(port: number): Promise<void> {
  const redis = new Redis(port, '127.0.0.1', { enableAutoPipelining: false });
  try {
    if (values.populate) {
      await redis.call('DEBUG', 'POPULATE', keys, 'key', valueBytes);
      return;
    }
    await setRandomKeys(redis, keys, valueBytes);
  } finally {
    redis.disconnect();
  }
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

async function measureAll(port: number): Promise<void> {
  const store = path.join(folder, 'store');
  const file = path.join(folder, 'out.rdb');
  const child = fileURLToPath(new URL('backup-once.js', import.meta.url));
  const backups: Measured[] = [];
  const dumps: Measured[] = [];
  const ratios: number[] = [];
  let bytes = 0;
  for (let round = 0; round < Number(values.rounds); round++) {
    const takeDump = async () => {
      dumps.push(await measure('redis-cli', ['-p', `${port}`, '--rdb', file]));
      bytes = statSync(file).size;
      rmSync(file);
    };
    const takeBackup = async () => {
      const url = pathToFileURL(store).href;
      backups.push(await measure(process.execPath, [child, `${port}`, url, values.compression]));
      rmSync(store, { recursive: true });
    };
    // Who goes first changes with every round: the first finds the disk at rest.
    for (const job of round % 2 === 0 ? [takeDump, takeBackup] : [takeBackup, takeDump]) await job();
    ratios.push(dumps.at(-1)!.seconds / backups.at(-1)!.seconds);
    console.error(
      `round ${round + 1}: redis-cli ${dumps.at(-1)!.seconds.toFixed(2)} s, holdfast ${backups.at(-1)!.seconds.toFixed(2)} s`,
    );
  }
  const rate = (all: Measured[]) => bytes / 1e6 / median(all.map(({ seconds }) => seconds));
  const peak = (all: Measured[]) => Math.max(...all.map(({ peakMib }) => peakMib));
  console.log(
    `${keys} keys of ${valueBytes} bytes, an RDB of ${(bytes / 1e6).toFixed(0)} MB, ${ratios.length} rounds`,
  );
  console.log(`redis-cli --rdb    ${rate(dumps).toFixed(0)} MB/s  ${peak(dumps).toFixed(0)} MiB`);
  console.log(`holdfast, verified ${rate(backups).toFixed(0)} MB/s  ${peak(backups).toFixed(0)} MiB`);
  const ratio = median(ratios);
  console.log(
    `speed beside redis-cli, median of the rounds: ${ratio.toFixed(2)} (goal: 0.9, ${ratio >= 0.9 ? 'met' : 'missed'})`,
  );
  console.log(
    `memory: ${peak(backups).toFixed(0)} MiB (goal: below 200, ${peak(backups) < 200 ? 'met' : 'missed'})`,
  );
}

const port = await freePorts(1);
mkdirSync(folder, { recursive: true });
const server = spawn(
  'redis-server',
  [
    ...[
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--enable-debug-command',
      'yes',
    ],
    ...[
      '--repl-diskless-sync',
      'yes',
      '--repl-diskless-sync-delay',
      '0',
      '--rdbcompression',
      values.rdbcompression,
    ],
  ],
  { stdio: 'ignore' },
);
process.on('exit', () => server.kill('SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  const probe = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  probe.on('error', () => {});
  await probe.connect().catch(() => {});
  await waitFor(async () => (await probe.ping()) === 'PONG', { what: 'redis-server', withinMs: 10_000 });
  probe.disconnect();
  await fill(port);
  await measureAll(port);
} finally {
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
