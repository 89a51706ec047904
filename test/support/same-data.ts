import type { Redis } from 'ioredis';
import { expect } from 'vitest';

const ttlToleranceMs = 1000;

interface Side {
  sums: string[];
  /** In ms since the epoch; below zero for none. */
  expiries: number[];
}

/**
 * Every key of the source is at the target under this prefix, with the same value, and with an expiry within a second of it;
 * nothing else is there. By the servers' own digests.
 * @param source the nodes of a Redis Cluster, or one server
 */
export async function expectSameUnder(
  source: readonly Redis[],
  target: Redis,
  prefix: string,
  dbs: readonly number[] = [0, 3],
): Promise<void> {
  for (const db of dbs) {
    let there = 0;
    for (const node of source) {
      if (db !== 0) await node.select(db);
      await target.select(db);
      for await (const page of node.scanStream({ count: 1000 })) {
        const names = page as string[];
        const [ours, theirs] = await Promise.all([
          described(node, names),
          described(
            target,
            names.map((name) => prefix + name),
          ),
        ]);
        expect(theirs.sums).toEqual(ours.sums);
        const apart = names.filter((_, index) => !isNear(ours.expiries[index]!, theirs.expiries[index]!));
        expect(apart).toEqual([]);
        there += names.length;
      }
      if (db !== 0) await node.select(0);
    }
    let here = 0;
    for await (const page of target.scanStream({ match: `${prefix}*`, count: 1000 })) here += page.length;
    expect(here).toBe(there);
  }
  await target.select(0);
}

function isNear(one: number, other: number): boolean {
  return one < 0 || other < 0 ? one === other : Math.abs(one - other) <= ttlToleranceMs;
}

async function described(redis: Redis, names: string[]): Promise<Side> {
  if (names.length === 0) return { sums: [], expiries: [] };
  const asked = names.flatMap((name) => [
    ['debug', 'digest-value', name],
    ['pexpiretime', name],
  ]);
  const replies = (await redis.pipeline(asked).exec())!.map(([, reply]) => reply);
  return {
    sums: replies.filter((_, index) => index % 2 === 0).map(String),
    expiries: replies.filter((_, index) => index % 2 === 1).map(Number),
  };
}
