import type { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';

/** Behind the cut-over the old server follows the new one, so that taking the change back loses nothing and repeats nothing. */
afterAll(async () => {
  await MigrationProcess.killAll();
  await cleanUp();
});

/** Each would show a write that is missing, and one that came twice. */
async function write(redis: Redis, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await redis.incr('count');
    await redis.rpush('list', round);
    await redis.multi().incr('both:a').select(3).incr('in three').select(0).exec();
  }
}

async function contents(redis: Redis): Promise<unknown[]> {
  const own = [await redis.get('count'), await redis.lrange('list', 0, -1), await redis.get('both:a')];
  await redis.select(3);
  const other = await redis.get('in three');
  await redis.select(0);
  return [...own, other];
}

/** `reset` says in words what is so by default. */
async function usersOf(redis: Redis): Promise<string[]> {
  return ((await redis.call('ACL', 'LIST')) as string[]).map((line) => line.replace(' sanitize-payload', ''));
}

async function untilSame(from: Redis, to: Redis): Promise<void> {
  const wanted = JSON.stringify(await contents(from));
  const same = async () => JSON.stringify(await contents(to)) === wanted;
  await waitFor(same, { what: `the other side to have ${wanted}`, withinMs: 60_000 });
}

test('written at the new side, killed in between, taken back: all of it is at the old side once, and nothing goes round', async () => {
  const [from, to] = [await startRedis(), await startRedis()];
  const [source, target] = [client(from.port), client(to.port)];
  await source.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '&*', '+@all');
  await source.call('DEBUG', 'POPULATE', 2000, 'key', 50);
  await write(source, 20);
  const users = await usersOf(source);
  const migration = MigrationProcess.begin(`${tempFolder()}/state`, [
    ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`],
  ]);
  await migration.untilFollowing();
  // Who waits at the old side must not take what comes back.
  const blocked = client(from.port, { username: 'app', password: 'pw', retryStrategy: null });
  const taken = blocked.blpop('queue', 0).then(String, (error: Error) => error.message);
  expect(await migration.ask('cutover')).toMatchObject({ status: 0, said: { notFollowed: null } });
  await write(target, 30);
  await target.rpush('queue', 'at the new side');
  await untilSame(target, source);
  expect(await taken).toMatch(/closed|NOPERM/);
  expect(await source.lrange('queue', 0, -1)).toEqual(['at the new side']);
  await expect(source.set('refused', 'v')).rejects.toThrow(/NOPERM/);
  await migration.kill();
  await write(target, 30);
  migration.resume();
  await write(target, 30);
  await waitFor(async () => (await migration.ask('status')).said['running'] === true, {
    what: 'it to be taken up',
    withinMs: 60_000,
  });
  expect((await migration.ask('status')).said).toMatchObject({ phase: 'cut-over', notFollowed: null });
  expect(await migration.ask('cutover', '--undo')).toMatchObject({ status: 0, said: { phase: 'running' } });
  expect(await contents(source)).toEqual(await contents(target));
  expect(await source.get('count')).toBe('110');
  expect(await usersOf(source)).toEqual(users);
  expect(await source.keys('holdfast:*')).toEqual([]);
  // Forward again, from behind what came back.
  await write(source, 20);
  await migration.untilFollowing();
  await untilSame(source, target);
  expect(await target.get('count')).toBe('130');
  expect(await target.exists('refused')).toBe(0);
  // Once more, and for good.
  expect(await migration.ask('cutover')).toMatchObject({ status: 0, said: { notFollowed: null } });
  await write(target, 10);
  await untilSame(target, source);
  expect(await migration.ask('finish')).toMatchObject({ status: 0, said: { open: [] } });
  expect(await migration.ended).toBe(0);
  expect(await usersOf(source)).toEqual(users);
  await expect(source.set('after', 'v')).rejects.toThrow(/NOREPLICAS/);
  expect([await source.keys('holdfast:*'), await target.keys('holdfast:*')]).toEqual([[], []]);
  expect(await target.get('count')).toBe('140');
});

test('an old side whose users can’t be closed waits, and a new side that is lost can be left', async () => {
  const [from, to] = [await startRedis(), await startRedis()];
  const [source, target] = [client(from.port), client(to.port)];
  await source.set('key', 'v');
  await source.call('ACL', 'SETUSER', 'admin', 'on', '>pw', '~*', '&*', '+@all');
  await source.call('ACL', 'SETUSER', 'default', '-acl');
  const migration = MigrationProcess.begin(`${tempFolder()}/state`, [
    ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`],
  ]);
  await migration.untilFollowing();
  expect(await migration.ask('cutover')).toMatchObject({
    ...{ status: 0, said: { notFollowed: expect.stringContaining('NOPERM') } },
  });
  expect(await migration.ask('cutover', '--undo')).toMatchObject({ status: 0 });
  const admin = client(from.port, { username: 'admin', password: 'pw' });
  await admin.call('ACL', 'SETUSER', 'default', '+acl');
  await migration.untilFollowing();
  const users = await usersOf(source);
  expect(await migration.ask('cutover')).toMatchObject({ status: 0, said: { notFollowed: null } });
  await target.set('key', 'of the new side');
  await waitFor(async () => (await source.get('key')) === 'of the new side', {
    what: 'it to come back',
    withinMs: 60_000,
  });
  to.process.kill('SIGKILL');
  const undone = await migration.ask('cutover', '--undo', '--within', '500ms');
  expect(undone).toMatchObject({ status: 1, said: { error: { code: 'CUT_OVER_NOT_NOW' } } });
  await expect(source.set('key', 'refused')).rejects.toThrow(/NOPERM/);
  expect(await migration.ask('abort')).toMatchObject({ status: 3, said: { missing: expect.any(String) } });
  expect(await migration.ended).toBe(0);
  expect(await source.set('key', 'taken again')).toBe('OK');
  expect(await usersOf(source)).toEqual(users);
  expect(await source.keys('holdfast:*')).toEqual([]);
});

test.skipIf(!isWhole)(
  'a new side that waits for replicas before it hands out its data is followed all the same',
  async () => {
    const [from, to] = [await startRedis(), await startRedis()];
    await client(to.port).config('SET', 'repl-diskless-sync-delay', '5');
    const migration = MigrationProcess.begin(`${tempFolder()}/state`, [
      ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`],
    ]);
    await migration.untilFollowing();
    expect(await migration.ask('cutover')).toMatchObject({ status: 0, said: { notFollowed: null } });
  },
);

test.skipIf(!isWhole)(
  'taken back where the old side could not follow: what was written at the target meanwhile is gone there, too',
  async () => {
    const [from, to] = [await startRedis(), await startRedis()];
    const [source, target] = [client(from.port), client(to.port)];
    await source.mset({ count: '1', deleted: 'v', 'x:shared': 'v' });
    await source.rpush('list', 'a');
    const args = [`redis://127.0.0.1:${from.port}`, '--prefix', 'p:', '--to', `redis://127.0.0.1:${to.port}`];
    const there = async () => ({
      keys: (await target.keys('p:*')).sort(),
      values: [await target.get('p:count'), await target.lrange('p:list', 0, -1)],
    });
    const migration = MigrationProcess.begin(`${tempFolder()}/state`, args);
    await migration.untilFollowing();
    const before = await there();
    const mixed = async (ours: MigrationProcess) => {
      expect(await ours.ask('cutover')).toMatchObject({
        status: 0,
        said: { notFollowed: expect.any(String) },
      });
      await target.multi().incr('p:count').rpush('p:list', 'b').set('p:new', 'v').del('p:deleted').exec();
      expect(await ours.ask('cutover', '--undo')).toMatchObject({ status: 0, said: { wasFollowed: false } });
    };
    await mixed(migration);
    await waitFor(async () => JSON.stringify(await there()) === JSON.stringify(before), {
      what: 'everything to be copied anew',
      withinMs: 60_000,
    });
    await migration.untilFollowing();
    expect(await source.incr('count')).toBe(2);
    expect(await migration.ask('cutover')).toMatchObject({
      status: 0,
      said: { keys: { sources: 4, target: 4 } },
    });
    expect(await target.get('p:count')).toBe('2');
    // What may have been written at the target since is not at the old side, which is said.
    expect(await migration.ask('abort')).toMatchObject({ status: 3, said: { missing: expect.any(String) } });
    // Beside data of others nobody could tell what to remove.
    await target.flushall();
    await target.set('of others', 'v');
    const beside = MigrationProcess.begin(`${tempFolder()}/state`, args);
    await beside.untilFollowing();
    await mixed(beside);
    expect(await beside.ended).not.toBe(0);
    expect(beside.said()).toMatch(/STREAM_PLACE_LOST/);
    expect(await beside.ask('abort')).toMatchObject({ status: 0, said: { stays: { copied: 'some' } } });
    expect([await target.get('of others'), await source.set('taken', 'v')]).toEqual(['v', 'OK']);
  },
  120_000,
);
