import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, freePort, kill9, type Server, startRedis } from '../support/redis-processes.ts';

/** Copies of clients' requests: what gets which, and that nobody waits for a copy. */

let home: Server;
let all: Server;
let some: Server;
let gate: GateProcess;
const at = ({ port }: Server) => ({ address: '127.0.0.1', port });

beforeAll(async () => {
  [home, all, some] = await Promise.all([startRedis(), startRedis(), startRedis()]);
  gate = await startGate({
    members: [{ id: 'home', ...at(home) }],
    mirrors: [
      { id: 'all', ...at(all), copies: 'all' },
      { id: 'some', ...at(some), prefixes: ['a:'], percentage: 50, queueBytes: 1_000_000 },
      { id: 'gone', address: '127.0.0.1', port: await freePort() },
    ],
  });
});
afterAll(cleanUp);

const statuses = async () => (await gate.control.status()).mirrors;
const arrived = (what: string, test: () => Promise<boolean>) => waitFor(test, { what, withinMs: 60_000 });

test('a mirror gets what it is to get: writes, reads where wanted, its prefixes, its share, each in its database', async () => {
  const redis = client(gate.port);
  const pipeline = redis.pipeline();
  for (let i = 0; i < 200; i++) pipeline.set(`a:${i}`, i).set(`b:${i}`, i).get(`a:${i}`);
  expect((await pipeline.exec())?.every(([error]) => error === null)).toBe(true);
  await redis.xgroup('CREATE', 'stream', 'group', '$', 'MKSTREAM');
  const other = client(gate.port);
  await other.select(3);
  await other.set('a:in 3', '1');
  await other.set('a:in 3 too', '1');
  await arrived('every copy', async () => {
    const { all: seen } = await statuses();
    return seen?.queuedBytes === 0 && (await client(all.port).dbsize()) === 401;
  });
  expect(await client(all.port).keys('stream')).toEqual(['stream']);
  expect(await client(all.port).info('commandstats')).toMatch(/cmdstat_get:calls=200,/);
  const there = client(all.port);
  await there.select(3);
  await arrived('the copies of database 3', async () => (await there.dbsize()) === 2);
  await arrived('every copy', async () => (await statuses())['some']?.queuedBytes === 0);
  const keys = await client(some.port).keys('*');
  expect(keys.length).toBeGreaterThan(50);
  expect(keys.length).toBeLessThan(150);
  expect(keys.every((key) => key.startsWith('a:'))).toBe(true);
  expect(await client(some.port).info('commandstats')).not.toMatch(/cmdstat_get:/);
});

test('errors and latency of a mirror stand beside those of clients', async () => {
  const redis = client(gate.port);
  await redis.set('typed', '1');
  await arrived('the copy', async () => (await client(all.port).get('typed')) === '1');
  await client(all.port).del('typed');
  await client(all.port).lpush('typed', '1');
  expect(await redis.incr('typed')).toBe(2);
  await arrived('the error', async () => (await statuses())['all']?.errors['WRONGTYPE'] === 1);
  const { all: seen } = await statuses();
  expect(seen).toMatchObject({ state: 'open', reason: null, dropped: 0, failed: 0 });
  expect(seen?.latency.write.count).toBeGreaterThan(200);
  expect((await gate.control.status()).errors['WRONGTYPE']).toBeUndefined();
});

test('one that is gone, or hangs, or is full makes nobody wait: copies are dropped and counted', async () => {
  const redis = client(gate.port);
  const { gone } = await statuses();
  expect(gone).toMatchObject({ state: 'waiting', copied: expect.any(Number) });
  expect((gone?.dropped ?? 0) + (gone?.failed ?? 0)).toBeGreaterThan(400);
  process.kill(some.process.pid as number, 'SIGSTOP');
  const before = await statuses();
  for (let i = 0; i < 40; i++) await redis.set(`a:${i}`, Buffer.alloc(100_000));
  await arrived('the queue to be full', async () => {
    const { some: seen } = await statuses();
    return (seen?.dropped ?? 0) > (before['some']?.dropped ?? 0);
  });
  expect((await statuses())['some']?.queuedBytes).toBeLessThanOrEqual(1_000_000);
  process.kill(some.process.pid as number, 'SIGCONT');
  await arrived('the queue to be empty', async () => (await statuses())['some']?.queuedBytes === 0);
  await kill9(some.process);
  expect(await redis.set('a:last', '1')).toBe('OK');
  const { all: other } = await statuses();
  expect(other?.dropped).toBe(0);
  // Too long to be kept for a copy: it goes to the server as it comes.
  expect(await redis.set('long', Buffer.alloc(2_000_000))).toBe('OK');
  expect((await statuses())['all']?.dropped).toBe(1);
});

test('what is a copy already is copied no further, so two gates that mirror each other make no loop', async () => {
  const raw = await RawClient.open(gate.port);
  await raw.ask('CLIENT SETNAME holdfast-mirror-other');
  const copied = (await statuses())['all']?.copied;
  expect(await raw.ask('SET k v')).toBe('+OK\r\n');
  expect((await statuses())['all']?.copied).toBe(copied);
  raw.close();
});

test('what its server refuses a client is not copied: neither without a login, nor without the right, nor for want of replicas', async () => {
  const admin = client(home.port);
  for (const rule of ['reader on >reader-pw ~* +@read', 'writer on >writer-pw ~* +@all', 'default off'])
    await admin.call('ACL', 'SETUSER', ...rule.split(' '));
  // What a stranger may was asked a moment ago for those before.
  const stranger = async () => {
    const raw = await RawClient.open(gate.port);
    if (/^-NOAUTH /.test(await raw.ask('PING'))) return raw;
    raw.close();
    return undefined;
  };
  const none = await waitFor(stranger, { what: 'strangers to have to log in', withinMs: 60_000 });
  const [few, many] = [await RawClient.open(gate.port), await RawClient.open(gate.port)];
  expect(await few.ask('AUTH reader reader-pw')).toBe('+OK\r\n');
  expect(await many.ask('AUTH writer writer-pw')).toBe('+OK\r\n');
  expect(await none.ask('SET forbidden 1')).toMatch(/^-NOAUTH /);
  few.sendAll(['GET forbidden', 'SET forbidden 1', 'GET forbidden', 'SET forbidden 2', 'GET forbidden']);
  const told = await Promise.all([1, 2, 3, 4, 5].map(() => few.reply()));
  expect(told.map((reply) => reply.slice(0, 8))).toEqual([
    '$-1\r\n',
    '-NOPERM ',
    '$-1\r\n',
    '-NOPERM ',
    '$-1\r\n',
  ]);
  await many.ask('CONFIG SET min-replicas-to-write 1');
  expect(await many.ask('SET forbidden 3')).toMatch(/^-NOREPLICAS /);
  await many.ask('CONFIG SET min-replicas-to-write 0');
  expect(await many.ask('SET permitted 1')).toBe('+OK\r\n');
  const mirrored = client(all.port);
  await arrived('what was permitted', async () => (await mirrored.get('permitted')) === '1');
  expect(await mirrored.exists('forbidden')).toBe(0);
  expect((await statuses())['all']?.errors).not.toHaveProperty('NOPERM');
  for (const each of [none, few, many]) each.close();
});
