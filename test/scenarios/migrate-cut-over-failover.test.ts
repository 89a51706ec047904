/** The target's primary dies in the very moment of a cut-over: it is made with the next one, or given up; each write is there once. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { errorCode } from '../../src/base/errors.ts';
import { waitFor } from '../../src/base/retry.ts';
import { askControl } from '../../src/migrate/control.ts';
import type { CutOverResult } from '../../src/migrate/cut-over.ts';
import type { Progress } from '../../src/migrate/progress.ts';
import { TestDeployment } from '../support/deployment.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';
import { farOff, isWhole } from '../support/whole-run.ts';

let deployment: TestDeployment;
let begun: MigrationProcess | undefined;
const writers: Writer[] = [];
beforeAll(async () => {
  if (isWhole) deployment = await TestDeployment.up();
});
afterEach(async () => {
  for (const each of writers.splice(0)) each.end();
  // One that is left would be a trouble of the deployment.
  await begun?.ask('abort').catch(() => {});
  await MigrationProcess.killAll();
});
afterAll(async () => {
  await deployment?.destroy();
  await cleanUp();
});

/** Appends at the old side, until it is refused. */
class Writer {
  readonly #redis: Redis;
  #stopped = false;
  acknowledged = 0;
  refused: string | null = null;

  constructor(redis: Redis) {
    this.#redis = redis;
    writers.push(this);
    void this.#write();
  }

  end(): void {
    this.#stopped = true;
  }

  async more(writes: number): Promise<void> {
    const until = this.acknowledged + writes;
    await waitFor(() => this.acknowledged >= until, { what: 'more writes', withinMs: 60_000, everyMs: 5 });
  }

  async #write(): Promise<void> {
    while (!this.#stopped && this.refused === null) {
      await this.#redis.rpush('appended', this.acknowledged).then(
        () => this.acknowledged++,
        (error: Error) => {
          this.refused = error.message;
        },
      );
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

/** Kills the target's primary so long after it was noted that writers are about to be held. */
async function killBehindHold(migration: MigrationProcess, afterMs: number): Promise<void> {
  const { pid } = await deployment.primary();
  const isBegun = () => {
    const text = readFileSync(path.join(migration.state, 'progress.json'), 'utf8');
    const { change, phase } = JSON.parse(text) as Progress;
    return change === 'cut-over' || phase === 'cut-over';
  };
  await waitFor(isBegun, { what: 'the cut-over to begin', withinMs: 60_000, everyMs: 1 });
  if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
  process.kill(pid as number, 'SIGKILL');
}

describe.runIf(isWhole)('a cut-over whose target fails over', () => {
  test.each([0, 3, 10, 30, 100, 300])(
    'its primary killed %i ms after writers are held',
    async (afterMs) => {
      await deployment.waitUntilHealthy();
      await deployment.client().flushall();
      const source = client((await startRedis()).port);
      await source.call('DEBUG', 'POPULATE', 3000, 'key', 50);
      const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
        ...[`redis://127.0.0.1:${source.options.port}`, '--to', deployment.specFile],
        ...['--target-state-dir', deployment.stateDir],
      ]);
      begun = migration;
      const writer = new Writer(client(source.options.port as number));
      await migration.untilFollowing();
      await writer.more(50);
      const killed = killBehindHold(migration, afterMs);
      const cutOver = async () =>
        (await askControl(path.join(migration.state, 'control.sock'), {
          ...{ verb: 'cut-over', withinMs: 20_000 },
        })) as CutOverResult;
      const first = await cutOver().catch((error: unknown) => {
        expect(errorCode(error), `${error} ${migration.said()}`).toBe('CUT_OVER_NOT_NOW');
        return String(error);
      });
      await killed;
      console.log(
        `${afterMs} ms: ${typeof first === 'string' ? first : `made in ${first.heldMs.toFixed(0)} ms`}`,
      );
      if (typeof first === 'string') {
        // Writers go on, nothing is lost, and it is made when the target has a primary.
        await writer.more(20);
        await migration.untilFollowing();
        await deployment.waitUntilHealthy();
        await migration.untilFollowing();
      }
      const made = typeof first === 'string' ? await cutOver() : first;
      expect(made).toMatchObject({ notMoved: [], notFollowed: null });
      await waitFor(() => writer.refused !== null, {
        what: 'the old side to refuse writes',
        withinMs: 60_000,
      });
      await deployment.waitUntilHealthy();
      const target = deployment.client();
      const wanted = Array.from({ length: writer.acknowledged }, (_, n) => String(n));
      expect(await target.lrange('appended', 0, -1)).toEqual(wanted);
      // And the old side follows the one that is primary now.
      await target.rpush('appended', 'at the new side');
      const isBack = async () => (await source.lrange('appended', -1, -1))[0] === 'at the new side';
      await waitFor(isBack, { what: 'it to come back', withinMs: 60_000 });
      expect(await source.llen('appended')).toBe(writer.acknowledged + 1);
      expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
    },
    farOff,
  );
});
