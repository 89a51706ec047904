import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { Random } from '../support/random.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';

/**
 * Several sources with keys of all types, written to all the time, into one; the migration is killed at moments by chance.
 * HOLDFAST_MIGRATE_KEYS and HOLDFAST_MIGRATE_KILLS make it large: docs/migrating.md says how.
 */
const keys = Number(process.env['HOLDFAST_MIGRATE_KEYS'] ?? 600);
const kills = Number(process.env['HOLDFAST_MIGRATE_KILLS'] ?? 3);
const limitMs = 60_000 + keys * 3 + kills * 10_000;
afterAll(async () => {
  await MigrationProcess.killAll();
  await cleanUp();
});

/** Counters and appends, which show each repetition and each gap, until the source holds or refuses its writers. */
class Writing {
  #rounds = 0;
  #stopped = false;
  readonly #redis: Redis;
  readonly #loop: Promise<void>;

  constructor(port: number) {
    this.#redis = client(port);
    this.#loop = this.#write();
  }

  get rounds(): number {
    return this.#rounds;
  }

  /** A round that is under way in a pause is not waited for. */
  async end(): Promise<void> {
    this.#stopped = true;
    this.#redis.disconnect();
    await this.#loop;
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const n = this.#rounds;
      const script =
        "redis.call('INCR', KEYS[1]) redis.call('SADD', KEYS[2], ARGV[1]) redis.call('SPOP', KEYS[2])";
      const redis = this.#redis;
      try {
        await Promise.all([
          redis.incr('count'),
          redis.rpush(`appended:${n % 7}`, n),
          redis.multi().incr('both:a').incr('both:b').exec(),
          redis.eval(script, 2, 'scripted', 'bag', n),
          redis.set(`expiring:${n % 50}`, n, 'EX', 3600),
        ]);
      } catch {
        return;
      }
      this.#rounds++;
    }
  }
}

test(
  'three sources into one by replication, killed again and again: the same on both sides, each write once',
  async () => {
    const random = new Random(11);
    const sources = await Promise.all([startRedis(), startRedis(), startRedis()]);
    const target = client((await startRedis()).port);
    for (const { port } of sources) await fillWithAllTypes(client(port), keys);
    const writing = sources.map(({ port }) => new Writing(port));
    const args = sources.map(({ port }) => `redis://127.0.0.1:${port}`);
    const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
      ...args,
      ...['--to', `redis://127.0.0.1:${target.options.port}`],
      ...['--prefix', 'one:', '--prefix', 'two:', '--prefix', 'three:'],
    ]);
    await waitFor(() => migration.hasPlan, { what: 'it to begin', withinMs: 30_000 });
    for (let kill = 0; kill < kills; kill++) {
      const until = writing[0]!.rounds + 1 + random.below(300);
      await waitFor(() => writing[0]!.rounds >= until, { what: 'more writes', withinMs: 30_000 });
      await migration.kill();
      migration.resume();
    }
    await migration.untilFollowing(limitMs);
    expect(await migration.ask('cutover')).toMatchObject({ status: 0 });
    for (const [index, { port }] of sources.entries()) {
      await sameUnder(client(port), target, ['one:', 'two:', 'three:'][index]!);
      const counted = Number(await target.get(`${['one:', 'two:', 'three:'][index]}count`));
      // The round under way when the writers were held may be there, or a part of it.
      expect(counted - writing[index]!.rounds).toBeOneOf([0, 1]);
    }
    expect(await migration.ask('finish')).toMatchObject({ status: 0 });
    for (const each of writing) await each.end();
  },
  limitMs,
);

/** Every key of the source is at the target under this prefix, with the same value and expiry, and nothing else is. */
async function sameUnder(source: Redis, target: Redis, prefix: string): Promise<void> {
  for (const db of [0, 3]) {
    await source.select(db);
    await target.select(db);
    let there = 0;
    for await (const page of source.scanStream({ count: 1000 })) {
      const names = page as string[];
      const [ours, theirs] = await Promise.all([
        described(source, names),
        described(
          target,
          names.map((name) => prefix + name),
        ),
      ]);
      expect(theirs).toEqual(ours);
      there += names.length;
    }
    expect(there).toBe(await source.dbsize());
    let here = 0;
    for await (const page of target.scanStream({ match: `${prefix}*`, count: 1000 })) here += page.length;
    expect(here).toBe(there);
  }
  await target.select(0);
}

async function described(redis: Redis, names: string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const asked = names.flatMap((name) => [
    ['debug', 'digest-value', name],
    ['pexpiretime', name],
  ]);
  const replies = (await redis.pipeline(asked).exec())!;
  return replies.map(([, reply]) => String(reply));
}
