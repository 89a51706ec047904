/** A cut-over that takes longer than one pause of the old server: its writers wait all that time, and then go on. */
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';
import { farOff, isWhole } from '../support/whole-run.ts';

const stops: (() => void)[] = [];
afterAll(async () => {
  for (const stop of stops) stop();
  await MigrationProcess.killAll();
  await cleanUp();
});

/** As long as the old side pauses its writers at a time. */
const pauseMs = 30_000;

/** Counts one by one, far below what the migration may read; each reply must be the next number. */
class Counting {
  readonly #redis: Redis;
  readonly #key: string;
  readonly ended: Promise<string>;
  #stopped = false;
  acknowledged = 0;
  longestMs = 0;

  constructor(redis: Redis, key: string) {
    this.#redis = redis;
    this.#key = key;
    this.ended = this.#count();
    stops.push(() => this.stop());
  }

  stop(): void {
    this.#stopped = true;
  }

  async more(writes = 20): Promise<void> {
    const until = this.acknowledged + writes;
    await waitFor(() => this.acknowledged >= until, { what: 'more writes', withinMs: 60_000 });
  }

  /** @returns what ended it */
  async #count(): Promise<string> {
    for (; !this.#stopped; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const begin = performance.now();
      try {
        const count = await this.#redis.incr(this.#key);
        if (count !== this.acknowledged + 1) return `${count} follows ${this.acknowledged}`;
      } catch (error) {
        return (error as Error).message;
      }
      this.acknowledged++;
      this.longestMs = Math.max(this.longestMs, performance.now() - begin);
    }
    return 'stopped';
  }
}

test.skipIf(!isWhole)(
  'behind the cut-over of a server that can’t follow back its writers wait until it is finished',
  async () => {
    const [from, to] = [await startRedis(), await startRedis()];
    const direct = new Counting(client(from.port), 'at the old side');
    const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
      ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`, '--method', 'scan'],
    ]);
    await migration.untilFollowing();
    await direct.more();
    expect(await migration.ask('cutover')).toMatchObject({ status: 0 });
    const before = direct.acknowledged;
    expect(Number(await client(to.port).get('at the old side'))).toBe(before);
    await new Promise((resolve) => setTimeout(resolve, pauseMs + 5000));
    expect(direct.acknowledged).toBe(before);
    expect(await migration.ask('verify')).toMatchObject({ status: 0, said: { equal: true } });
    expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
    await direct.more();
    direct.stop();
    expect(await direct.ended).toBe('stopped');
  },
  farOff,
);
