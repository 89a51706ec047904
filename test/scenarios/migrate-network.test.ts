import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { Progress } from '../../src/migrate/progress.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { Random } from '../support/random.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';
import { expectSameUnder } from '../support/same-data.ts';
import { SlowProxy } from '../support/slow-proxy.ts';
import { isWhole } from '../support/whole-run.ts';

/**
 * Between two sites: 50 ms from one to the other, 1 MB a second, some of what is sent comes late, connections break, and the network
 * swallows everything for a while. What is told of the time left and of the lag is so.
 */
const network = { delayMs: 50, bytesPerSecond: 1_000_000, lateIn1000: 5 };
const filledBytes = 12_000_000;
const partedMs = 7000;
const cutSeenWithinMs = 3000;

const proxies: SlowProxy[] = [];
afterEach(async () => {
  await MigrationProcess.killAll();
  for (const proxy of proxies.splice(0)) proxy.stop();
});
afterAll(cleanUp);

async function slowWayTo(port: number, random: Random): Promise<SlowProxy> {
  const proxy = await SlowProxy.start(port, network, random);
  proxies.push(proxy);
  return proxy;
}

/** Fifty a second, each of which counts. */
class SteadyWrites {
  written = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(redis: Redis) {
    this.#timer = setInterval(() => {
      const n = this.written++;
      redis
        .multi()
        .incr('count')
        .rpush(`appended:${n % 7}`, n)
        .exec()
        .catch(() => {});
    }, 20);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

interface Sample {
  atMs: number;
  source: Progress['sources'][number];
}

/** What `migrate status` says, from now on until told to stop. */
function watchProgress(migration: MigrationProcess): { samples: Sample[]; stop(): void } {
  const samples: Sample[] = [];
  let lastMs = 0;
  const timer = setInterval(() => {
    const file = path.join(migration.state, 'progress.json');
    if (!existsSync(file)) return;
    const { writtenMs, sources } = JSON.parse(readFileSync(file, 'utf8')) as Progress;
    if (writtenMs > lastMs) samples.push({ atMs: writtenMs, source: sources[0]! });
    lastMs = writtenMs;
  }, 100);
  return { samples, stop: () => clearInterval(timer) };
}

/** In seconds: how far what was told of the time left was from what it took, in the middle of them all. */
function medianError(samples: readonly Sample[], endMs: number): number {
  const errors = samples.flatMap(({ atMs, source: { secondsLeft } }) =>
    secondsLeft === null ? [] : Math.abs((endMs - atMs) / 1000 - secondsLeft),
  );
  expect(errors.length).toBeGreaterThan(3);
  return errors.toSorted((a, b) => a - b)[Math.floor(errors.length / 2)]!;
}

/** Behind that moment. */
async function followingAgain(samples: readonly Sample[], behindMs: number): Promise<void> {
  const follows = () => {
    const last = samples.at(-1);
    return last !== undefined && last.atMs > behindMs && last.source.phase === 'following';
  };
  await waitFor(follows, { what: 'it to be followed again', withinMs: 300_000 });
}

const during = (samples: readonly Sample[], phase: string) =>
  samples.filter(({ source }) => source.phase === phase);

describe.runIf(isWhole)('a migration between two sites', () => {
  test.each(['replication', 'scan'])(
    'by %s goes on, ends right, and says truly how far it is',
    async (method) => {
      const random = new Random(17);
      const source = client((await startRedis(['--repl-diskless-sync', 'no'])).port);
      const target = client((await startRedis()).port);
      await fillWithAllTypes(source, 500);
      for (let n = 0; n < filledBytes; n += 20_000) await source.set(`filled:${n}`, randomBytes(20_000));
      const near = await slowWayTo(source.options.port as number, random);
      const far = await slowWayTo(target.options.port as number, random);
      const writes = new SteadyWrites(source);
      const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
        `redis://127.0.0.1:${near.port}`,
        ...['--to', `redis://127.0.0.1:${far.port}`, '--method', method],
      ]);
      await waitFor(() => migration.hasPlan, { what: 'it to begin', withinMs: 60_000 });
      const { samples, stop } = watchProgress(migration);
      await migration.untilFollowing(300_000);
      const copying = during(samples, 'copying');
      const copiedMs = samples.find(({ atMs }) => atMs > copying.at(-1)!.atMs)?.atMs ?? Date.now();
      const tookSeconds = (copiedMs - copying[0]!.atMs) / 1000;
      expect(tookSeconds).toBeGreaterThan(filledBytes / network.bytesPerSecond - 2);
      // By scan it is told of runs that are read together, which are two here.
      if (method === 'replication') expect(medianError(copying, copiedMs)).toBeLessThan(tookSeconds / 4);

      for (let cut = 0; cut < 6; cut++) {
        await new Promise((resolve) => setTimeout(resolve, random.below(1500)));
        (cut % 2 === 0 ? near : far).cut();
      }
      // What was written before the last of them may say so still.
      await followingAgain(samples, Date.now() + cutSeenWithinMs);
      const heal = near.part();
      await new Promise((resolve) => setTimeout(resolve, partedMs));
      heal();
      if (method === 'replication') {
        // Nobody can say how far behind it is, and nobody does.
        const [last] = samples.slice(-1);
        expect(last?.source).toMatchObject({
          ...{ phase: 'following', lagBytes: null, lagSeconds: null },
          problem: expect.stringContaining('has not answered'),
        });
      }
      await followingAgain(samples, Date.now() + cutSeenWithinMs);
      stop();

      const changed = await migration.ask('cutover', '--within', '2m');
      expect(changed, migration.said()).toMatchObject({ status: 0 });
      writes.end();
      expect(await migration.ask('verify')).toMatchObject({ status: 0, said: { equal: true } });
      // Behind a cut-over by replication the old side follows, and has a key of its own for that.
      // What waits to be written keeps its own connection from being read.
      const reader = client(source.options.port as number);
      if (method === 'scan') await expectSameUnder([reader], target, '');
      const count = Number(await target.get('count'));
      const lengths = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((n) => target.llen(`appended:${n}`)));
      expect(lengths.reduce((sum, each) => sum + each, 0)).toBe(count);
      expect(count).toBeGreaterThan(0);
      expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
      console.log(
        `by ${method}: ${filledBytes} bytes copied in ${tookSeconds.toFixed(1)} s, writers waited ${Number(changed.said['heldMs']).toFixed(0)} ms`,
      );
    },
    900_000,
  );
});
