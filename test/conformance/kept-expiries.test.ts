/** When a key expires is not put off by how long it is under way, from one real server to another. */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expiryIn } from '../../src/migrate/expiry.ts';
import { KeyReader } from '../../src/migrate/key-reader.ts';
import { KeyWriter } from '../../src/migrate/key-writer.ts';
import { passValue } from '../../src/migrate/long/pass-value.ts';
import { targetOfServer } from '../../src/rdb/target.ts';
import { cleanUp, client, startRedis } from '../support/redis-processes.ts';

let [source, target]: [Redis, Redis] = [] as never;
beforeAll(async () => {
  [source, target] = [client((await startRedis()).port), client((await startRedis()).port)];
});
afterAll(cleanUp);

const lateMs = 700;
const placeOf = ({ options }: Redis) => ({ endpoint: { host: '127.0.0.1', port: options.port as number } });
const late = () => new Promise((resolve) => setTimeout(resolve, lateMs));

async function expectSame(...keys: string[]): Promise<void> {
  for (const key of keys) {
    const apart = (await target.pexpiretime(key)) - (await source.pexpiretime(key));
    expect(Math.abs(apart), `${key}: ${apart} ms`).toBeLessThan(lateMs / 2);
  }
}

test('keys that are written later than they were read', async () => {
  await source.set('string', 'v', 'PX', 60_000);
  await source.rpush('list', 'v');
  await source.pexpire('list', 60_000);
  await source.set('lasting', 'v');
  const reader = new KeyReader(placeOf(source));
  const facts = { source: await reader.facts(), target: await reader.facts() };
  const writer = new KeyWriter(placeOf(target), facts);
  const keys = ['string', 'list', 'lasting'].map((key) => Buffer.from(key));
  const held = await reader.read(keys);
  await late();
  expect(await writer.write(keys, held)).toEqual([null, null, null]);
  await expectSame('string', 'list');
  expect(await target.pttl('lasting')).toBe(-1);
  reader.close();
  writer.close();
});

test.each(['text', 'payload'] as const)('a long value that takes its time, as %s', async (as) => {
  const key = `long:${as}`;
  await source.set(key, 'v'.repeat(100), 'PX', 60_000);
  const bytes =
    as === 'text' ? await source.getBuffer(key) : ((await source.callBuffer('DUMP', key)) as Buffer);
  async function* pieces() {
    yield bytes!.subarray(0, 20);
    await late();
    yield bytes!.subarray(20);
  }
  const expiry = expiryIn(await source.pttl(key));
  const value = { as, type: 'string', expiry, bytes: bytes!.length, pieces: pieces(), close: () => {} };
  const same = targetOfServer('redis-7.0');
  const rules = { source: same, target: same, longest: 2 ** 29 };
  expect(await passValue(placeOf(target), 0, Buffer.from(key), value, rules)).toBe('OK');
  await expectSame(key);
  expect(await target.get(key)).toBe('v'.repeat(100));
});
