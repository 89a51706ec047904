/**
 * A stream whose target is away for longer than its primary's backlog reaches back: what comes meanwhile waits on disk. Either
 * side, and the process itself, is killed, stopped and replaced at random moments.
 *
 * HOLDFAST_STREAM_KILLS=60 is twenty of each kind.
 */
import { readdirSync } from 'node:fs';
import { afterAll, afterEach, expect, test } from 'vitest';
import { pause, waitFor } from '../../src/base/retry.ts';
import { chooseSeed, Random } from '../support/random.ts';
import { cleanUp, client, kill9, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';
import { type StreamProcess, startStream } from '../support/stream-process.ts';
import { untilSame, writing } from '../support/stream-writes.ts';
import { howMany } from '../support/whole-run.ts';

const streams: StreamProcess[] = [];
afterEach(async () => {
  for (const each of streams.splice(0)) await each.end('SIGKILL');
});
afterAll(cleanUp);

function stream(id: string, source: Server, target: Server, folder: string): StreamProcess {
  const made = startStream(id, source.port, target.port, 0, folder);
  streams.push(made);
  return made;
}

const smallBacklog = ['--repl-backlog-size', '16kb'];
/** A server whose writes are all there again when it was killed. */
const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];

const follows = async (running: StreamProcess) =>
  await waitFor(() => running.status()?.phase === 'following', { what: 'it to follow', withinMs: 60_000 });

test('a target that was away gets what it missed, and no full copy', async () => {
  const [from, to] = [await startRedis(smallBacklog), await startRedis(durable)];
  const [source, target] = [client(from.port), client(to.port)];
  const folder = tempFolder();
  await source.set('begun', '1');
  let running = stream('away', from, to, folder);
  await follows(running);
  await kill9(to.process);
  let count = 0;
  // While no process runs only the backlog holds what comes, so nothing does.
  const waits = async (bytes: number) => {
    const isRead = async () => /connected_slaves:1/.test(await source.info('replication'));
    await waitFor(isRead, { what: 'the source to be read', withinMs: 60_000 });
    const writes = writing(source);
    await waitFor(() => (running.status()?.queue?.bytes ?? 0) > bytes, {
      what: `${bytes} bytes to wait`,
      withinMs: 60_000,
    });
    count += await writes.end();
    await pause(200);
  };
  await waits(100_000);
  // Whoever goes on has what it left on disk.
  await running.end('SIGKILL');
  running = stream('away', from, to, folder);
  await waits(300_000);
  await running.end('SIGTERM');
  running = stream('away', from, to, folder);
  await waits(500_000);
  await startRedis([], to);
  await follows(running);
  await untilSame(source, target, running);
  expect(await target.get('count')).toBe(String(count));
  expect(running.status()).toMatchObject({ copies: 0, queue: { bytes: 0 } });
  await running.end('SIGTERM');
  expect(readdirSync(folder)).toEqual([]);
});

test('killed, stopped and replaced at any moment, everything is there once', async () => {
  const kills = howMany('HOLDFAST_STREAM_KILLS', 9, 60);
  const seed = chooseSeed();
  const random = new Random(seed);
  let from = await startRedis(smallBacklog);
  let to = await startRedis(durable);
  const folder = tempFolder();
  let source = client(from.port);
  await source.call('DEBUG', 'POPULATE', 2000, 'key', 50);
  let running = stream('any', from, to, folder);
  await follows(running);
  let total = 0;
  for (let kill = 0; kill < kills; kill++) {
    const writes = writing(source);
    const what = kill % 3;
    await writes.more(random.below(60));
    if (what === 0) {
      await running.end('SIGKILL');
      running = stream('any', from, to, folder);
    } else if (what === 1) {
      await kill9(to.process);
      await writes.more(100 + random.below(300));
      if (random.once(2)) {
        await running.end('SIGKILL');
        running = stream('any', from, to, folder);
      }
      to = await startRedis([], to);
    } else if (random.once(2)) {
      to.process.kill('SIGSTOP');
      await writes.more(100 + random.below(200));
      to.process.kill('SIGCONT');
    } else
      for (let cut = 0; cut < 3; cut++) {
        await source.call('CLIENT', 'KILL', 'TYPE', 'replica');
        await pause(random.below(20));
      }
    total += await writes.end();
  }
  await untilSame(source, client(to.port), running).catch((error: Error) => {
    throw new Error(`seed ${seed}: ${error.message}`);
  });
  expect(await client(to.port).get('count')).toBe(String(total));
  const { copies } = running.status()!;
  // Another takes its place while the target is away: the history goes on under another name.
  const next = await startRedis(smallBacklog);
  const other = client(next.port);
  await other.call('REPLICAOF', '127.0.0.1', from.port);
  await waitFor(async () => /master_link_status:up/.test(await other.info('replication')), {
    what: 'the replica',
    withinMs: 60_000,
  });
  await kill9(to.process);
  const before = writing(source);
  await before.more(300);
  total += await before.end();
  const offsetOf = async (redis: typeof other) =>
    /(?:master|slave)_repl_offset:(\d+)/.exec(await redis.info('replication'))?.[1];
  await waitFor(async () => (await offsetOf(other)) === (await offsetOf(source)), {
    what: 'the replica to have all',
    withinMs: 60_000,
  });
  // What waits for the target is only here now, and what comes from now on is in the backlogs too.
  for (const redis of [source, other]) await redis.call('CONFIG', 'SET', 'repl-backlog-size', '10mb');
  await other.call('REPLICAOF', 'NO', 'ONE');
  await source.call('REPLICAOF', '127.0.0.1', next.port);
  [from, source] = [next, other];
  const after = writing(source);
  await after.more(300);
  to = await startRedis([], to);
  total += await after.end();
  await untilSame(source, client(to.port), running);
  expect(await client(to.port).get('count')).toBe(String(total));
  expect(running.status()?.copies).toBe(copies);
});
