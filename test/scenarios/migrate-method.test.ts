import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { holdfast } from '../support/deployment.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';

/** How a source is read is found out without troubling it; which keys are carried, and under which names. */
afterAll(async () => {
  await MigrationProcess.killAll();
  await cleanUp();
});

test('a source that forbids replication is copied by scan, and says so; one that allows it is not asked for a copy', async () => {
  const [from, to] = [await startRedis(), await startRedis()];
  const [source, target] = [client(from.port), client(to.port)];
  await source.call('DEBUG', 'POPULATE', 3000, 'key', 20);
  await source.acl('SETUSER', 'app', 'on', '>topsecret', '~*', '&*', '+@all', '-sync', '-psync', '-config');
  const folder = tempFolder();
  const [file, state] = [path.join(folder, 'password'), path.join(folder, 'state')];
  writeFileSync(file, 'topsecret\n', { mode: 0o600 });
  const migrate = (url: string, ...args: string[]) =>
    holdfast(['migrate', url, '--to', `redis://127.0.0.1:${to.port}`, '--state-dir', state, ...args]);
  const managed = [`redis://app@127.0.0.1:${from.port}`, '--source-password-file', file] as const;
  const explained = await migrate(...managed, '--explain');
  expect(explained).toMatchObject({ status: 0, stdout: expect.stringMatching(/^by scan: .*psync/im) });
  const forced = await migrate(...managed, '--method', 'replication', '--preflight');
  expect(forced).toMatchObject({ status: 3, stderr: expect.stringContaining('does not let a replica in') });
  // What else this user may not is said, with what is left, and what grants it.
  await source.acl('SETUSER', 'app', '-client|pause', '-dump');
  const lesser = await migrate(...managed, '--preflight');
  expect(lesser).toMatchObject({ status: 3, stderr: expect.stringContaining('ACL SETUSER app +dump there') });
  expect(lesser.stderr).toMatch(/may not CLIENT PAUSE .*stop the writers yourself.*\+client\|pause/);
  expect(await source.acl('GETUSER', 'holdfast-nobody')).toBeNull();
  await source.acl('SETUSER', 'app', '+dump');
  const open = await migrate(`redis://127.0.0.1:${from.port}`, '--explain');
  expect(open).toMatchObject({ status: 0, stdout: expect.stringMatching(/^by replication: /m) });
  expect(await source.info('stats')).toMatch(/sync_full:0\r/);
  expect(await target.dbsize()).toBe(0);
  const migration = MigrationProcess.begin(state, [...managed, '--to', `redis://127.0.0.1:${to.port}`]);
  await migration.untilFollowing();
  expect(migration.said()).toContain('by scan: ');
  expect(await target.dbsize()).toBe(3000);
  const { status, said } = await migration.ask('cutover');
  expect({ status, said }).toMatchObject({
    ...{ status: 1, said: { error: { hint: expect.stringContaining('+client|pause') } } },
  });
  expect(await source.set('written', 'behind it')).toBe('OK');
  expect(await migration.ask('abort')).toMatchObject({ status: 0 });
});

test('each source under a prefix, and only keys that match; commands that follow, too', async () => {
  const [first, second, to] = [await startRedis(), await startRedis(), await startRedis()];
  const [one, two, target] = [client(first.port), client(second.port), client(to.port)];
  for (const each of [one, two]) await each.mset('user:1', 'v', 'user:2', 'v', 'cache:1', 'v');
  await two.set('user:ttl', 'v', 'EX', 1000);
  const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
    ...[`redis://127.0.0.1:${first.port}`, `redis://127.0.0.1:${second.port}`],
    ...['--to', `redis://127.0.0.1:${to.port}`, '--match', 'user:*', '--prefix', 'a:', '--prefix', 'b:'],
  ]);
  await migration.untilFollowing();
  await one.multi().incr('user:count').incr('cache:count').del('user:1', 'cache:1').exec();
  await two.rename('user:2', 'cache:2');
  await two.eval("redis.call('SADD', KEYS[1], 'x', 'y') redis.call('SPOP', KEYS[1])", 1, 'user:set');
  await two.set('user:last', 'v');
  await waitFor(async () => (await target.exists('b:user:last')) === 1, {
    what: 'the last',
    withinMs: 60_000,
  });
  await waitFor(async () => (await target.exists('a:user:count')) === 1, { what: 'all', withinMs: 60_000 });
  const keys = (await target.keys('*')).filter((key) => !key.startsWith('holdfast:')).toSorted();
  expect(keys).toEqual([
    ...['a:user:2', 'a:user:count', 'b:user:1', 'b:user:last', 'b:user:set', 'b:user:ttl'],
  ]);
  expect(await target.smembers('b:user:set')).toEqual(await two.smembers('user:set'));
  expect(await target.pexpiretime('b:user:ttl')).toBe(await two.pexpiretime('user:ttl'));
  expect(await migration.ask('cutover')).toMatchObject({ status: 0, said: { keys: null } });
  expect(await migration.ask('finish')).toMatchObject({ status: 0 });
});
