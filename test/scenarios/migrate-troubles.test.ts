import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { Progress } from '../../src/migrate/progress.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { cleanUp, client, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';

/** What goes wrong on either side is said in a clear word, and nothing is lost: it goes on when that is put right. */
let to: Server;
let target: Redis;
beforeAll(async () => {
  to = await startRedis();
  target = client(to.port);
});
afterEach(async () => {
  await MigrationProcess.killAll();
  await target.config('SET', 'maxmemory', '0');
  await target.flushall();
});
afterAll(cleanUp);

function begin(source: string, ...options: string[]): MigrationProcess {
  const args = [source, '--to', `redis://127.0.0.1:${to.port}`, ...options];
  return MigrationProcess.begin(path.join(tempFolder(), 'state'), args);
}

async function untilThere(key: string, value: string): Promise<void> {
  const isThere = async () => (await target.get(key)) === value;
  await waitFor(isThere, { what: `${key} at the target`, withinMs: 60_000 });
}

/** Until the one source of it is in trouble, and says so. */
async function untilItSays(migration: MigrationProcess, problem: RegExp): Promise<void> {
  let last: unknown;
  const says = async () => {
    const { said } = await migration.ask('status');
    last = said;
    return problem.test((said as unknown as Progress).sources[0]?.problem ?? '');
  };
  await waitFor(says, { what: `it to say ${problem}`, withinMs: 60_000, everyMs: 100 }).catch(
    (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last)} ${migration.said()}`);
    },
  );
}

/** While something is the matter nothing is changed over, which is said too. */
async function expectNoCutOver(migration: MigrationProcess): Promise<void> {
  expect(await migration.ask('cutover')).toMatchObject({
    ...{ status: 1, said: { error: { code: 'CUT_OVER_NOT_NOW' } } },
  });
}

/** The whole run has it by replication too. */
test.each(isWhole ? ['scan', 'replication'] : ['scan'])(
  'by %s: a target whose memory is full, and a source that is lost, are named and gone on with, or given up',
  async (method) => {
    const place = await startRedis();
    const { port } = place;
    const source = client(port, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    await source.set('first', 'v');
    const migration = begin(`redis://127.0.0.1:${port}`, '--method', method);
    await migration.untilFollowing();

    const used = Number(/used_memory:(\d+)/.exec(await target.info('memory'))?.[1]);
    await target.config('SET', 'maxmemory', String(used + 500_000));
    for (let n = 0; n < 30; n++)
      await source.multi().set(`key:${n}`, 'x'.repeat(100_000)).incr('count').exec();
    await untilItSays(migration, /OOM/);
    await expectNoCutOver(migration);
    await target.config('SET', 'maxmemory', '0');
    await untilThere('count', '30');
    await migration.untilFollowing();
    const keys = ['first', ...Array.from({ length: 30 }, (_, n) => `key:${n}`)];
    const sums = async (redis: Redis) => await redis.call('DEBUG', 'DIGEST-VALUE', ...keys);
    expect(await sums(target)).toEqual(await sums(source));

    // What it holds is on its disk.
    const lose = () =>
      client(port)
        .call('SHUTDOWN', 'SAVE')
        .catch(() => {});
    await source.set('last', 'v');
    await lose();
    await untilItSays(migration, new RegExp(`127.0.0.1:${port}`));
    await expectNoCutOver(migration);
    await startRedis([], place);
    await source.set('behind', 'v');
    await untilThere('behind', 'v');
    expect(await target.get('last')).toBe('v');
    await migration.untilFollowing();
    // Lost for good: what was copied stays, and the migration can be given up.
    await lose();
    await untilItSays(migration, new RegExp(`127.0.0.1:${port}`));
    expect(await migration.ask('abort')).toMatchObject({ status: 0 });
    expect(await migration.ended).toBe(0);
    expect(await sums(target)).not.toContain('0'.repeat(40));
  },
);

test('a password that is not right any more ends it, until the right one is in its file', async () => {
  const file = path.join(tempFolder(), 'password');
  const set = (password: string) => writeFileSync(file, `${password}\n`, { mode: 0o600 });
  const { port } = await startRedis();
  const source = client(port);
  await source.set('first', 'v');
  await source.config('SET', 'requirepass', 'right');
  set('right');
  const migration = begin(`redis://127.0.0.1:${port}`, '--source-password-file', file);
  await migration.untilFollowing();
  await source.config('SET', 'requirepass', 'another');
  await source.call('CLIENT', 'KILL', 'TYPE', 'replica');
  expect(await migration.ended).toBe(1);
  expect(migration.said()).toMatch(
    /WRONGPASS.*with the password of the file .*password\).*REPLICATION_REFUSED/s,
  );
  await source.set('meanwhile', 'v');
  set('another');
  migration.resume();
  await untilThere('meanwhile', 'v');
});

test('a value of a module that the target has not is named, and the data that is there stays', async () => {
  const file = fileURLToPath(new URL('../fixtures/rdb/engines/redis86-vectorset.rdb', import.meta.url));
  await target.set('theirs', 'v');
  const migration = begin(file);
  expect(await migration.ended).toBe(1);
  expect(migration.said()).toMatch(/key '.*' of database 0.*STREAM_CANT_CARRY/s);
  expect(await target.get('theirs')).toBe('v');
});
