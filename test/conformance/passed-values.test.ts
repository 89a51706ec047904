/** Values that are passed on as they come, each way that there is, cut anywhere: a real server takes them for what they are. */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expiryIn } from '../../src/migrate/expiry.ts';
import type { ComingValue } from '../../src/migrate/long/coming-value.ts';
import { passValue } from '../../src/migrate/long/pass-value.ts';
import { sumOfComing } from '../../src/migrate/long/sum-of-coming.ts';
import { restorePayload } from '../../src/rdb/restore-payload.ts';
import { targetOfServer } from '../../src/rdb/target.ts';
import { ValueSum } from '../../src/rdb/value-sum.ts';
import { entriesOf, rdbFixtures } from '../support/rdb-files.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

let server: Server;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = client(server.port);
});
afterAll(cleanUp);

const [newer, older] = [targetOfServer('valkey-8.0'), targetOfServer('redis-7.0')];

/** In pieces of so many bytes, in memory that is used again for the next. */
function coming(as: ComingValue['as'], bytes: Buffer, pieceBytes: number, ttlMs = -1): ComingValue {
  async function* pieces() {
    const memory = Buffer.alloc(pieceBytes);
    for (let at = 0; at < bytes.length; at += pieceBytes)
      yield memory.subarray(0, bytes.copy(memory, 0, at, at + pieceBytes));
  }
  return { as, type: '', expiry: expiryIn(ttlMs), bytes: bytes.length, pieces: pieces(), close: () => {} };
}

async function passed(key: string, value: ComingValue, source = older, longest = 2 ** 29): Promise<unknown> {
  const to = { endpoint: { host: '127.0.0.1', port: server.port } };
  return await passValue(to, 2, Buffer.from(key), value, { source, target: older, longest });
}

async function dumped(key: string): Promise<Buffer> {
  await redis.select(0);
  return (await redis.callBuffer('DUMP', key)) as Buffer;
}

async function digests(key: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const db of [0, 2]) {
    await redis.select(db);
    found.push(...((await redis.call('DEBUG', 'DIGEST-VALUE', key)) as string[]));
  }
  return found;
}

test.each([1, 3, 1000])('in pieces of %i bytes', async (pieceBytes) => {
  await redis.flushall();
  await redis.select(0);
  await redis.config('SET', 'hash-max-listpack-entries', '4');
  await redis.hset('hash', Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, `v${n}`])));
  // Its digest tells whether it expires, and not when.
  await redis.set('text', 'abc'.repeat(100), 'PX', 3_600_000);
  const text = Buffer.from('abc'.repeat(100));
  // As it is, over what is there, with an expiry and without.
  expect(await passed('text', coming('text', text, pieceBytes))).toBe('OK');
  expect(await passed('text', coming('text', text, pieceBytes, 100_000))).toBe('OK');
  const hash = await dumped('hash');
  expect(await passed('hash', coming('payload', hash, pieceBytes, 0))).toBe('OK');
  expect(await passed('hash', coming('payload', hash, pieceBytes))).toBe('OK');
  for (const key of ['text', 'hash']) {
    const [ours, theirs] = await digests(key);
    expect(theirs).toBe(ours);
  }
  expect(await redis.pttl('text')).toBeGreaterThan(90_000);
  expect(await redis.pttl('hash')).toBe(-1);
  // The same type out of a newer server, whose version this one refuses: it is stamped anew.
  const body = hash.subarray(1, -10);
  const ofNewer = restorePayload(hash[0]!, body, 11);
  await redis.del('hash');
  await expect(redis.call('RESTORE', 'hash', '0', ofNewer)).rejects.toThrow('version');
  expect(await passed('hash', coming('payload', ofNewer, pieceBytes), newer)).toBe('OK');
  expect(new Set(await digests('hash')).size).toBe(1);
  // Longer than an argument: in pieces, and nothing is left of how it was made.
  expect(await passed('hash', coming('payload', hash, pieceBytes, 50_000), older, 100)).toBe(null);
  await redis.select(0);
  await redis.pexpire('hash', 50_000);
  expect(new Set(await digests('hash')).size).toBe(1);
  expect(await redis.pttl('hash')).toBeGreaterThan(10_000);
  expect((await redis.keys('*')).toSorted()).toEqual(['hash', 'text']);
  expect(await passed('text', coming('text', text, pieceBytes), older, 100)).toMatchObject({
    reason: expect.stringContaining('proto-max-bulk-len'),
  });
  const damaged = Buffer.from(hash);
  damaged[damaged.length - 1]! ^= 1;
  expect(await passed('hash', coming('payload', damaged, pieceBytes), older, 100)).toMatchObject({
    reason: expect.stringContaining('checksum'),
  });
});

test('a type that the target has in another form is converted', async () => {
  const sets: { body: Buffer; members: string[] }[] = [];
  for (const { bytes } of rdbFixtures()) {
    for (const entry of await entriesOf(bytes).catch(() => [])) {
      if (entry.encoding !== 'listpack' || entry.kind !== 'set') continue;
      const value = entry.value();
      if (value.kind === 'set')
        sets.push({ body: entry.body, members: value.members.map((each) => each.toString('hex')) });
    }
  }
  expect(sets.length).toBeGreaterThan(0);
  for (const { body, members } of sets) {
    expect(await passed('set', coming('payload', restorePayload(20, body, 11), 7), newer)).toBe('OK');
    await redis.select(2);
    const there = await redis.smembersBuffer('set');
    expect(there.map((each) => each.toString('hex')).toSorted()).toEqual(members.toSorted());
  }
});

test('the sum of what comes is one of what it is, not of how it comes', async () => {
  await redis.select(0);
  await redis.set('text', 'abc'.repeat(100));
  await redis.zadd('zset', 1, 'a', 2, 'b');
  const sums = new ValueSum();
  const of = async (value: ComingValue) => await sumOfComing(value, 'redis', sums);
  const text = await dumped('text');
  const one = await of(coming('payload', text, 3));
  expect(await of(coming('text', Buffer.from('abc'.repeat(100)), 7))).toEqual(one);
  expect(await of(coming('text', Buffer.alloc(0), 7))).not.toEqual(one);
  await redis.config('SET', 'zset-max-listpack-entries', '1');
  const zset = await dumped('zset');
  await redis.zadd('other', 2, 'b', 1, 'a');
  const other = await of(coming('payload', await dumped('other'), 2));
  expect(other).toEqual(await of(coming('payload', zset, 5)));
  expect(other.kind).toBe('zset');
});
