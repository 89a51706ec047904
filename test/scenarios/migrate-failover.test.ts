import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { holdfast, TestDeployment } from '../support/deployment.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { PlainSentinels } from '../support/plain-sentinels.ts';
import { cleanUp, tempFolder } from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';

/** A source that its Sentinels fail over, and a deployment that fails over, while one is copied and followed into the other. */
let plain: PlainSentinels;
let deployment: TestDeployment;
const writers: Writer[] = [];
beforeAll(async () => {
  [plain, deployment] = await Promise.all([PlainSentinels.start(), TestDeployment.up()]);
});
afterEach(async () => {
  for (const each of writers.splice(0)) await each.end();
  await MigrationProcess.killAll();
});
afterAll(async () => {
  await deployment?.destroy();
  await cleanUp();
});

/** Counts and appends at whoever is the source's primary. What it was not told of may have been written. */
class Writer {
  readonly #redis: Redis;
  readonly #loop: Promise<void>;
  #stopped = false;
  acknowledged = 0;

  constructor() {
    const sentinels = plain.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
    this.#redis = new Redis({ sentinels, name: plain.name, maxRetriesPerRequest: 0 });
    this.#redis.on('error', () => {});
    this.#loop = this.#write();
    writers.push(this);
  }

  async more(writes: number): Promise<void> {
    const until = this.acknowledged + writes;
    await waitFor(() => this.acknowledged >= until, { what: 'more writes', withinMs: 60_000, everyMs: 5 });
  }

  async end(): Promise<void> {
    this.#stopped = true;
    this.#redis.disconnect();
    // What it was told of no primary it may never answer.
    await Promise.race([this.#loop, new Promise((resolve) => setTimeout(resolve, 5000))]);
  }

  async #write(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const written = this.#redis
        .multi()
        .incr('count')
        .rpush('appended', n)
        .set(`short:${n % 20}`, n)
        .exec();
      await written.then(
        () => this.acknowledged++,
        () => {},
      );
      // Far below what the migration may read.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function killTargetsPrimary(): Promise<void> {
  await deployment.waitUntilHealthy();
  process.kill((await deployment.primary()).pid as number, 'SIGKILL');
}

async function keysAtTarget(): Promise<number> {
  const redis = deployment.client();
  try {
    return await redis.dbsize();
  } catch {
    return 0;
  } finally {
    redis.disconnect();
  }
}

async function sides(): Promise<{ source: Redis; target: Redis }> {
  return { source: plain.clientOf({ port: await plain.primary() } as never), target: deployment.client() };
}

const replication = ['replication', () => plain.crash()] as const;
const scan = ['scan', () => plain.switchOver()] as const;

test.each<readonly [string, () => Promise<unknown>]>(isWhole ? [replication, scan] : [replication])(
  'by %s: both sides fail over in the copy and behind it, and each write is there once',
  async (method, failOver) => {
    const first = plain.clientOf({ port: await plain.primary() } as never);
    await first.flushall();
    await deployment.client().flushall();
    await fillWithAllTypes(first, 300);
    // Not compressed: some seconds of reading, and several batches.
    for (let n = 0; n < 25; n++)
      await first.mset(
        ...Array.from({ length: 20 }, (_, at) => [`noise:${n}:${at}`, randomBytes(5000)]).flat(),
      );
    const url = `sentinel://${plain.addresses}/${plain.name}`;
    const target = [deployment.specFile, '--target-state-dir', deployment.stateDir];
    const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
      ...[url, '--to', ...target, '--method', method, '--max-rate', '1mb'],
    ]);
    const writer = new Writer();
    await waitFor(async () => (await keysAtTarget()) > 200, {
      what: 'some to be copied',
      withinMs: 60_000,
      everyMs: 5,
    });
    await killTargetsPrimary();
    await migration.untilFollowing(60_000);
    await killTargetsPrimary();
    await writer.more(100);
    await failOver();
    await writer.more(100);
    await migration.untilFollowing(60_000);
    // As long as the old primary takes writes and the new one is not followed, there is no cut-over.
    let answer = '';
    const isChanged = async () => {
      const { status, said } = await migration.ask('cutover', '--within', '20s');
      answer = JSON.stringify(said);
      return status === 0;
    };
    await waitFor(isChanged, { what: 'the cut-over', withinMs: 60_000, everyMs: 200 }).catch(
      (error: Error) => {
        throw new Error(`${error.message}: ${answer} ${migration.said()}`);
      },
    );
    const now = await sides();
    expect(await now.target.lrange('appended', 0, -1)).toEqual(await now.source.lrange('appended', 0, -1));
    expect(await now.target.get('count')).toBe(await now.source.get('count'));
    const verified = await holdfast([
      ...['migrate', 'verify', url, deployment.specFile, '--target-state-dir', deployment.stateDir],
    ]);
    expect(verified).toMatchObject({ status: 0, stdout: expect.stringContaining('no difference') });
    expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
  },
  300_000,
);
