/** Writes that show each repetition and each gap of a stream, and the comparison of both sides. */
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { StreamProcess } from './stream-process.ts';

export interface Writing {
  /** Waits until so many more rounds of writes are done. */
  more(rounds: number): Promise<void>;
  /** How many were done in all. */
  end(): Promise<number>;
}

/** Counters, appends to lists, transactions and scripts, one round behind the other. */
export function writing(source: Redis): Writing {
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
      withinMs: 60_000,
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

/** Waits until the target is as far as the source, and expects the same keys in both. */
export async function untilSame(source: Redis, target: Redis, to: StreamProcess): Promise<void> {
  const same = async () => {
    const offset = Number(/master_repl_offset:(\d+)/.exec(await source.info('replication'))?.[1]);
    return (to.status()?.applied?.offset ?? -1) >= offset;
  };
  await waitFor(same, { what: 'the target to be as far as the source', withinMs: 60_000 }).catch(
    (error: Error) => {
      throw new Error(`${error.message} ${JSON.stringify(to.status())} ${to.errors()}`);
    },
  );
  const [there, here] = [await contents(target), await contents(source)];
  expect(there.length).toBe(here.length);
  expect(there.filter((line, index) => line !== here[index])).toEqual([]);
}
