import type { Redis } from 'ioredis';
import { afterAll, afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { Random } from '../support/random.ts';
import { cleanUp, client, startRedis } from '../support/redis-processes.ts';
import { type StreamProcess, startStream } from '../support/stream-process.ts';

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

interface Writing {
  /** Waits until so many more rounds of writes are done. */
  more(rounds: number): Promise<void>;
  /** How many were done in all. */
  end(): Promise<number>;
}

/** Writes that show each repetition and each gap: counters, appends to lists, transactions and scripts. */
function writing(source: Redis): Writing {
  let stopped = false;
  let count = 0;
  const loop = (async () => {
    while (!stopped) {
      const n = count++;
      await Promise.all([
        source.incr('count'),
        source.rpush(`list:${n % 7}`, n),
        source.multi().incr('both:a').incr('both:b').exec(),
        source.eval("redis.call('INCR', KEYS[1]) redis.call('SPOP', KEYS[2]) return 1", 2, 'scripted', 'bag'),
        source.sadd('bag', `m${n}`, `n${n}`),
        source.set(`expiring:${n % 50}`, n, 'EX', 1000),
      ]);
    }
  })();
  const more = async (rounds: number) => {
    const until = count + rounds;
    await waitFor(() => count >= until, {
      what: `${rounds} more rounds of writes`,
      withinMs: 20_000,
      everyMs: 2,
    });
  };
  const end = async () => {
    stopped = true;
    await loop;
    return count;
  };
  return { more, end };
}

/** What each key holds, and when it expires. */
async function contents(redis: Redis): Promise<string[]> {
  const keys = (await redis.keys('*')).filter((key) => !key.startsWith('holdfast:stream:')).sort();
  const sums = (await redis.call('DEBUG', 'DIGEST-VALUE', ...keys)) as string[];
  const times = (await redis.pipeline(keys.map((key) => ['pexpiretime', key])).exec())!;
  return keys.map((key, index) => `${key} ${sums[index]} ${times[index]![1]}`);
}

async function untilSame(source: Redis, target: Redis, to: StreamProcess): Promise<void> {
  const same = async () => {
    const offset = Number(/master_repl_offset:(\d+)/.exec(await source.info('replication'))?.[1]);
    return (to.status()?.applied?.offset ?? -1) >= offset;
  };
  await waitFor(same, { what: 'the target to be as far as the source', withinMs: 20_000 }).catch(
    (error: Error) => {
      throw new Error(`${error.message} ${JSON.stringify(to.status())} ${to.errors()}`);
    },
  );
  const [there, here] = [await contents(target), await contents(source)];
  expect(there.length).toBe(here.length);
  expect(there.filter((line, index) => line !== here[index])).toEqual([]);
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
    await waitFor(() => running.status() !== undefined, { what: 'it to begin', withinMs: 10_000 });
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
    withinMs: 10_000,
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
    withinMs: 10_000,
  });
  await other.call('REPLICAOF', 'NO', 'ONE');
  await source.call('REPLICAOF', '127.0.0.1', next.port);
  const others = writing(other);
  await others.more(100);
  const more = await others.end();
  await untilSame(other, target, running);
  expect(await target.get('count')).toBe(String(count + more));
});
