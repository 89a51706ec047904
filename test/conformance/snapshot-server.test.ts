/** Real redis-servers take the data that a snapshot server gives. */
import { copyFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { SnapshotServer } from '../../src/redis/snapshot-server.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';

const credentials = { username: 'holdfast-replication', password: 'hand-it-over' };
const auth = ['--masteruser', credentials.username, '--masterauth', credentials.password];
let server: SnapshotServer | undefined;
afterEach(() => server?.close());
afterAll(cleanUp);

/** An RDB of a thousand keys that a redis-server wrote, some of them expiring. */
async function someRdb(): Promise<string> {
  const source = await startRedis();
  const redis = client(source.port);
  for (let i = 0; i < 1000; i++) await redis.set(`k:${i}`, `v${i}`, 'EX', 1000 + i);
  await redis.rpush('list', ...Array.from({ length: 500 }, (_, i) => `element ${i}`));
  await redis.save();
  const file = path.join(tempFolder(), 'given.rdb');
  copyFileSync(path.join(source.folder, 'dump.rdb'), file);
  return file;
}

async function serve(file: string): Promise<SnapshotServer> {
  server = await SnapshotServer.start({ file, credentials, tls: undefined, address: '127.0.0.1' });
  return server;
}

const linkUp = async (redis: ReturnType<typeof client>) =>
  /master_link_status:up/.test(await redis.info('replication'));

test.each([
  ['empty, so that it reads from the socket', 0],
  ['full, so that it writes a file first', 50],
])(
  'a server that is %s has exactly the keys of the file afterwards, also after a restart',
  async (_, before) => {
    const given = await serve(await someRdb());
    const taker = await startRedis([...auth, '--appendonly', 'yes', '--repl-diskless-load', 'on-empty-db']);
    const redis = client(taker.port);
    for (let i = 0; i < before; i++) await redis.set(`old:${i}`, 'x');
    await redis.replicaof('127.0.0.1', given.port);
    await waitFor(() => linkUp(redis), { what: 'the transfer', withinMs: 60_000 });
    expect(given.sentBytes).toBe(given.bytes);
    await redis.replicaof('NO', 'ONE');
    expect(await redis.dbsize()).toBe(1001);
    expect(await redis.get('k:77')).toBe('v77');
    expect(await redis.exists('old:1')).toBe(0);
    const rewritten = async () => /aof_rewrite_in_progress:0/.test(await redis.info('persistence'));
    await waitFor(rewritten, { what: 'the AOF', withinMs: 60_000 });
    expect(await redis.set('after', '1')).toBe('OK');
    taker.process.kill('SIGKILL');
    const again = await startRedis(['--appendonly', 'yes'], { folder: taker.folder });
    expect(await client(again.port).dbsize()).toBe(1002);
  },
);

test('whoever does not know the password gets nothing', async () => {
  const given = await serve(await someRdb());
  const taker = await startRedis(['--masteruser', credentials.username, '--masterauth', 'wrong']);
  const redis = client(taker.port);
  await redis.set('old', '1');
  await redis.replicaof('127.0.0.1', given.port);
  const stranger = client(given.port, { enableReadyCheck: false, lazyConnect: true });
  await expect(stranger.call('SYNC')).rejects.toThrow(/NOAUTH/);
  await expect(stranger.call('AUTH', 'default', 'x')).rejects.toThrow(/WRONGPASS/);
  expect(given.sentBytes).toBe(0);
  await redis.replicaof('NO', 'ONE');
  expect(await redis.get('old')).toBe('1');
});

test('a transfer that stops short changes nothing at the taker', async () => {
  const file = await someRdb();
  const given = await serve(file);
  truncateSync(file, 3000);
  const taker = await startRedis([...auth]);
  const redis = client(taker.port);
  await redis.set('old', '1');
  await redis.replicaof('127.0.0.1', given.port);
  await waitFor(() => given.sentBytes === 3000, { what: 'the transfer to begin', withinMs: 60_000 });
  // The rest never comes, and nothing is taken for it.
  await waitFor(async () => /master_sync_in_progress:0/.test(await redis.info('replication')), {
    what: 'the transfer to fail',
    withinMs: 60_000,
  });
  given.close();
  await redis.replicaof('NO', 'ONE');
  expect(await redis.get('old')).toBe('1');
  expect(await redis.dbsize()).toBe(1);
});
