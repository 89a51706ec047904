import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { Progress } from '../../src/migrate/progress.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';

/** A migration from sources that refuse replication: paused, killed, taken up again and cut over, as one by replication is. */
afterAll(async () => {
  await MigrationProcess.killAll();
  await cleanUp();
});

const noReplica = ['--user', 'default', 'on', 'nopass', '~*', '&*', '+@all', '-psync', '-sync', '-replconf'];

/** Writes whose repetition or loss shows, until they are held or stopped. */
function writing(redis: Redis) {
  let stopped = false;
  const counted = { writes: 0 };
  const loop = (async () => {
    while (!stopped) {
      const n = counted.writes;
      await redis
        .multi()
        .incr('count')
        .rpush('list', n)
        .set(`short:${n % 20}`, n)
        .del(`short:${(n + 9) % 20}`)
        .exec();
      counted.writes++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const stop = async () => {
    stopped = true;
    await loop;
  };
  return { counted, stop };
}

async function expectSame(source: Redis, target: Redis, prefix: string): Promise<void> {
  const keys = (await source.keys('*')).toSorted();
  const there = (await target.keys(`${prefix}*`)).toSorted();
  expect(there).toEqual(keys.map((key) => `${prefix}${key}`));
  const sums = (await source.call('DEBUG', 'DIGEST-VALUE', ...keys)) as string[];
  const theirs = (await target.call('DEBUG', 'DIGEST-VALUE', ...there)) as string[];
  expect(keys.filter((_, index) => sums[index] !== theirs[index])).toEqual([]);
}

test('two sources under prefixes, one with notifications and one without: killed, paused, cut over and undone', async () => {
  const [heard, compared, to] = [
    await startRedis(noReplica),
    await startRedis([...noReplica, '-config']),
    await startRedis(),
  ];
  const [one, two, target] = [client(heard.port), client(compared.port), client(to.port)];
  for (const each of [one, two]) await fillWithAllTypes(each, 600);
  await one.select(0);
  await two.select(0);
  const state = path.join(tempFolder(), 'state');
  const migration = MigrationProcess.begin(state, [
    ...[heard, compared].map(({ port }) => `redis://127.0.0.1:${port}`),
    ...['--to', `redis://127.0.0.1:${to.port}`, '--prefix', 'a:', '--prefix', 'b:'],
  ]);
  // On connections of their own, which the cut-over holds.
  const writers = [heard, compared].map(({ port }) => writing(client(port)));
  for (let kill = 0; kill < 2; kill++) {
    const begun = async () => (await target.dbsize()) > kill * 200;
    await waitFor(begun, { what: 'it to write', withinMs: 60_000, everyMs: 2 });
    await migration.kill();
    migration.resume();
  }
  await migration.untilFollowing();
  expect(await migration.ask('pause')).toMatchObject({ status: 0, said: { phase: 'paused' } });
  await two.del('string:0');
  await one.del('string:0');
  expect(await migration.ask('resume')).toMatchObject({ status: 0 });
  await migration.untilFollowing();
  const { sources } = JSON.parse(readFileSync(path.join(state, 'progress.json'), 'utf8')) as Progress;
  expect(sources.map(({ problem }) => problem)).toEqual([null, expect.stringContaining('refuses CONFIG')]);
  const changed = await migration.ask('cutover');
  expect(changed, migration.said()).toMatchObject({ status: 0 });
  // Whoever writes there waits.
  const before = writers.map(({ counted }) => counted.writes);
  for (const [redis, prefix, count] of [
    [one, 'a:', before[0]],
    [two, 'b:', before[1]],
  ] as const) {
    await expectSame(redis, target, prefix);
    expect(Number(await target.get(`${prefix}count`))).toBeGreaterThanOrEqual(count!);
    expect(await target.exists(`${prefix}string:0`)).toBe(0);
  }
  expect(writers.map(({ counted }) => counted.writes)).toEqual(before);
  expect(await migration.ask('cutover', '--undo')).toMatchObject({ status: 0 });
  await waitFor(() => writers.every(({ counted }, index) => counted.writes > before[index]!), {
    ...{ what: 'writers to go on', withinMs: 60_000 },
  });
  await migration.untilFollowing();
  for (const each of writers) await each.stop();
  expect(await migration.ask('cutover')).toMatchObject({ status: 0 });
  for (const [redis, prefix, each] of [
    [one, 'a:', writers[0]],
    [two, 'b:', writers[1]],
  ] as const) {
    await expectSame(redis, target, prefix);
    expect(await target.get(`${prefix}count`)).toBe(String(each!.counted.writes));
    expect(await target.llen(`${prefix}list`)).toBe(each!.counted.writes);
  }
  const finished = await migration.ask('finish');
  expect(finished).toMatchObject({
    status: 3,
    said: { open: [expect.stringContaining(String(compared.port))] },
  });
  await expect(one.set('late', 'v')).rejects.toThrow('NOREPLICAS');
});

test('where nobody tells what changed, writers wait for one comparison, and the one under way is broken off', async () => {
  const [from, to] = [await startRedis([...noReplica, '-config']), await startRedis()];
  const source = client(from.port);
  await source.mset(Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`key:${n}`, n])));
  const begun: string[] = [];
  const monitor = await client(from.port).monitor();
  monitor.on('monitor', (_time, [command = '', ...args]: string[]) => {
    if (/^client$/i.test(command)) begun.push(args.join(' '));
    if (/^scan$/i.test(command) && args[0] === '0') begun.push('scan');
  });
  const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
    ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`],
  ]);
  const writer = writing(client(from.port));
  await migration.untilFollowing();
  expect(await migration.ask('cutover')).toMatchObject({ status: 0 });
  const held = begun.findIndex((each) => /^pause \d+ write$/i.test(each));
  expect(begun.slice(held).filter((each) => each === 'scan')).toEqual(['scan']);
  await expectSame(source, client(to.port), '');
  expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
  await writer.stop();
  monitor.disconnect();
});

test('what others have at the target is neither written over nor deleted, unless that is said', async () => {
  const [from, to] = [await startRedis(noReplica), await startRedis()];
  const [source, target] = [client(from.port), client(to.port)];
  await source.mset('user:1', 'v', 'cache:1', 'v');
  await target.mset('user:1', 'theirs', 'own', 'v');
  const args = [`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`];
  const refused = MigrationProcess.begin(path.join(tempFolder(), 'state'), args);
  expect(await refused.ended).toBe(2);
  expect(refused.said()).toContain('where the keys of');
  const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
    ...[...args, '--on-conflict', 'last', '--match', 'user:*'],
  ]);
  await migration.untilFollowing();
  await source.set('user:2', 'v');
  expect(await migration.ask('cutover')).toMatchObject({ status: 0, said: { keys: null } });
  expect(await target.mget('user:1', 'user:2', 'cache:1', 'own')).toEqual(['v', 'v', null, 'v']);
  expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
});

test('of some types only: what is of another one, or becomes so, is not there', async () => {
  const [from, to] = [await startRedis(), await startRedis()];
  const [source, target] = [client(from.port), client(to.port)];
  await fillWithAllTypes(source, 120);
  // Its type could not be asked for by name as text.
  await source.del(Buffer.from([0xff, 0x00, 0x0d, 0x0a]));
  const running = MigrationProcess.begin(`${tempFolder()}/state`, [
    ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`, '--types', 'hash,string'],
  ]);
  await running.untilFollowing();
  expect(running.said()).toMatch(/by scan: only keys of some types are carried \(string, hash\)/);
  const carried = async () => {
    const keys = (await source.keys('*')).sort();
    const types = (await source.pipeline(keys.map((key) => ['type', key])).exec())!;
    return keys.filter((_, index) => /^(string|hash)$/.test(String(types[index]![1])));
  };
  expect((await target.keys('*')).sort()).toEqual(await carried());
  const [list, hash] = ['list:1', 'hash:4'];
  expect(await target.exists(list, hash)).toBe(1);
  await source.multi().del(hash).rpush(hash, 'a').del(list).set(list, 'now a string').set('new', '1').exec();
  await waitFor(async () => (await target.keys('*')).sort().join() === (await carried()).join(), {
    what: 'the target to have them',
    withinMs: 60_000,
  });
  expect(await target.get(list)).toBe('now a string');
  // No notification tells of it.
  await source.multi().flushdb().set('behind', 'v').exec();
  await waitFor(async () => (await target.keys('*')).join() === 'behind', {
    what: 'the target to be as empty',
    withinMs: 60_000,
  });
  const { status, said } = await running.ask('cutover');
  expect([status, said['notMoved']]).toEqual([0, []]);
});
