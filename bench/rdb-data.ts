import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createAtomicFile } from '../src/base/atomic-stream.ts';
import { waitFor } from '../src/base/retry.ts';
import { ByteSink } from '../src/rdb/byte-sink.ts';
import { RespBatch } from '../src/rdb/resp-batch.ts';
import { putLength, RdbWriter } from '../src/rdb/writer.ts';

const words =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma'.split(' ');

/** Numbers that are the same each time, from 0 to 1. */
function repeatable(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * The file that the figures are for: strings (half of the keys, one in four expiring), hashes and lists (a fifth
 * each), sorted sets (a tenth), and some large ones. A real redis-server writes it, with its own settings.
 */
export async function makeMixedFile(file: string, keys: number): Promise<void> {
  if (existsSync(file)) return;
  const folder = path.join(path.dirname(file), 'server');
  mkdirSync(folder, { recursive: true });
  const socket = path.join(folder, 's.sock');
  const server = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', ''],
    {
      stdio: 'ignore',
    },
  );
  try {
    await waitFor(() => existsSync(socket), { what: 'redis-server', withinMs: 10_000 });
    await pipe(socket, (batch, drain) => putKeys(batch, keys, drain));
    await pipe(socket, async (batch) => batch.command('SAVE'));
    renameSync(path.join(folder, 'dump.rdb'), file);
  } finally {
    server.kill();
    await once(server, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function pipe(socket: string, put: (batch: RespBatch, drain: () => Promise<void>) => Promise<void>) {
  const cli = spawn('redis-cli', ['-s', socket, '--pipe'], { stdio: ['pipe', 'ignore', 'inherit'] });
  const sink = new ByteSink(async (bytes) => {
    if (!cli.stdin.write(Buffer.from(bytes))) await once(cli.stdin, 'drain');
  });
  await put(new RespBatch(sink), async () => sink.drain());
  await sink.flush();
  cli.stdin.end();
  await once(cli, 'close');
}

async function putKeys(batch: RespBatch, keys: number, drain: () => Promise<void>): Promise<void> {
  const random = repeatable(42);
  const text = (length: number) => {
    let made = '';
    while (made.length < length)
      made += Math.floor(random() * 1e9).toString(36) + words[Math.floor(random() * words.length)];
    return made.slice(0, length);
  };
  const times = <T>(count: number, make: (index: number) => T[]) =>
    Array.from({ length: count }, (_, i) => make(i)).flat();
  for (let index = 0; index < keys; index++) {
    const kind = index % 10;
    if (kind < 5) {
      const expiry = index % 4 === 0 ? ['PXAT', String(4_102_444_800_000 + index)] : [];
      batch.command('SET', `session:${index}`, text(60 + Math.floor(random() * 60)), ...expiry);
    } else if (kind < 7) {
      batch.command('HSET', `user:${index}`, ...times(5, (field) => [`field${field}`, text(14)]));
    } else if (kind < 9) {
      batch.command('RPUSH', `queue:${index}`, ...times(8, () => [text(12)]));
    } else {
      batch.command('ZADD', `rank:${index}`, ...times(6, () => [(random() * 1000).toFixed(2), text(10)]));
    }
    if (index % 1000 === 0) await drain();
  }
  for (let index = 0; index < 50; index++) {
    batch.command('HSET', `large-hash:${index}`, ...times(1000, (field) => [`f${field}`, text(20)]));
    batch.command('ZADD', `large-zset:${index}`, ...times(1000, () => [String(random() * 1e5), text(20)]));
    batch.command('SADD', `large-set:${index}`, ...times(1000, () => [text(20)]));
    await drain();
  }
}

/** One key with a value that is longer than anything should be held: it does not compress. */
export async function makeHugeValueFile(file: string, bytes: number): Promise<void> {
  if (existsSync(file)) return;
  const output = await createAtomicFile(file);
  const sink = new ByteSink((piece) => output.write(piece));
  const writer = new RdbWriter(sink, 'redis', 10);
  const random = repeatable(7);
  const block = Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(random() * 256)));
  writer.begin([]);
  writer.selectDb(0);
  const key = Buffer.from('huge');
  writer.entryHead({ expireHigh: -1, expireLow: -1, idle: -1, freq: -1, type: 0 }, key, 0, key.length);
  const length = Buffer.alloc(9);
  writer.bytes(length, 0, putLength(length, 0, bytes));
  for (let left = bytes; left > 0; left -= block.length) {
    writer.bytes(block, 0, Math.min(block.length, left));
    writer.settle();
    await sink.drain();
  }
  writer.finish();
  await sink.flush();
  await output.commit();
}
