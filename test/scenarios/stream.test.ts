import { afterAll, afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { Random } from '../support/random.ts';
import { cleanUp, client, startRedis } from '../support/redis-processes.ts';
import { type StreamProcess, startStream } from '../support/stream-process.ts';
import { untilSame, writing } from '../support/stream-writes.ts';

/** A stream from a real server to a real server: what is cut, killed and switched costs no write, and repeats none. */
const streams: StreamProcess[] = [];
afterEach(async () => {
  for (const each of streams.splice(0)) await each.end('SIGKILL');
});
afterAll(cleanUp);

function stream(id: string, source: number, target: number): StreamProcess {
  const made = startStream(id, source, target);
  streams.push(made);
  return made;
}

test('killed at any moment, in the copy and behind it, everything is there once', async () => {
  const [from, to] = [await startRedis(), await startRedis()];
  const [source, target] = [client(from.port), client(to.port)];
  await source.call('DEBUG', 'POPULATE', 30_000, 'key', 50);
  await source.select(3);
  await source.hset('in three', { a: '1', b: '2' });
  await source.select(0);
  const random = new Random(7);
  const writes = writing(source);
  let running = stream('killed', from.port, to.port);
  for (let kill = 0; kill < 6; kill++) {
    await waitFor(() => running.status() !== undefined, { what: 'it to begin', withinMs: 60_000 });
    await writes.more(random.below(150));
    await running.end('SIGKILL');
    running = stream('killed', from.port, to.port);
  }
  const count = await writes.end();
  await untilSame(source, target, running);
  expect(await target.get('count')).toBe(String(count));
  expect(await target.get('both:a')).toBe(await target.get('both:b'));
  await target.select(3);
  expect(await target.hgetall('in three')).toEqual({ a: '1', b: '2' });
});

test('connections that are cut on either side, and a source that becomes a replica of another', async () => {
  const [from, next, to] = [await startRedis(), await startRedis(), await startRedis()];
  const [source, other, target] = [client(from.port), client(next.port), client(to.port)];
  await source.call('DEBUG', 'POPULATE', 2000, 'key', 50);
  await other.call('REPLICAOF', '127.0.0.1', from.port);
  const writes = writing(source);
  const running = stream('cut', from.port, to.port);
  await waitFor(() => running.status()?.phase === 'following', {
    what: 'the copy to be done',
    withinMs: 60_000,
  });
  for (let cut = 0; cut < 10; cut++) {
    await writes.more(30);
    await target.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await writes.more(15);
    await source.call('CLIENT', 'KILL', 'TYPE', 'replica');
  }
  const count = await writes.end();
  await untilSame(source, target, running);
  expect(await target.get('count')).toBe(String(count));
  // Its history goes on under another name.
  await waitFor(async () => /master_link_status:up/.test(await other.info('replication')), {
    what: 'the replica',
    withinMs: 60_000,
  });
  await other.call('REPLICAOF', 'NO', 'ONE');
  await source.call('REPLICAOF', '127.0.0.1', next.port);
  const others = writing(other);
  await others.more(100);
  const more = await others.end();
  await untilSame(other, target, running);
  expect(await target.get('count')).toBe(String(count + more));
});
