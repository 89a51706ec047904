import { describe, expect, test } from 'vitest';
import {
  entriesOf,
  inPieces,
  lengthBytes,
  lengthPrefixed,
  makeRdb,
  memorySink,
  rdbFixture,
} from '../../test/support/rdb-files.ts';
import { KeyPattern } from '../base/key-pattern.ts';
import type { Unloadable } from './copy.ts';
import { filterInto, keyTest } from './filter.ts';
import { Scanner } from './scanner.ts';
import { type Target, targetOfInputs, targetOfServer, targetOfVersion } from './target.ts';
import { RdbWriter } from './writer.ts';

/** Writes a file anew for a target. */
async function rewrite(
  bytes: Buffer,
  target: Target,
  filter = {},
): Promise<{ bytes: Buffer; left: Unloadable[] }> {
  const { sink, bytes: written } = memorySink();
  const writer = new RdbWriter(sink, target.flavor, target.version);
  const left: Unloadable[] = [];
  const handler = filterInto(writer, {
    test: keyTest(filter),
    target,
    inputAux: {},
    nowMs: 0,
    onUnloadable: (each) => left.push(each),
  });
  const scanner = new Scanner(handler);
  for (const piece of inPieces(bytes, 100)) scanner.push(piece);
  scanner.finish();
  writer.finish();
  return { bytes: await written(), left };
}

async function valuesOf(bytes: Buffer): Promise<unknown[]> {
  return (await entriesOf(bytes)).map((entry) => [
    entry.db,
    entry.key.toString(),
    entry.expireMs,
    entry.value(),
  ]);
}

const redis = (version: number): Target => ({ flavor: 'redis', version });
const valkey9: Target = { flavor: 'valkey', version: 80 };

describe('field expiry goes where it can', () => {
  test.each(['hash_with_hfe.rdb', 'hash_as_listpack_with_hfe.rdb'])('%s', async (name) => {
    const before = await valuesOf(rdbFixture(name));
    const toValkey = await rewrite(rdbFixture(name), valkey9);
    expect(toValkey.left).toEqual([]);
    expect(toValkey.bytes.toString('latin1', 0, 9)).toBe('VALKEY080');
    expect(await valuesOf(toValkey.bytes)).toEqual(before);
    const back = await rewrite(toValkey.bytes, redis(12));
    expect(back.left).toEqual([]);
    expect(back.bytes.toString('latin1', 0, 9)).toBe('REDIS0012');
    expect(await valuesOf(back.bytes)).toEqual(before);
    const old = await rewrite(rdbFixture(name), redis(11));
    expect(await valuesOf(old.bytes)).toEqual([]);
    expect(old.left).toHaveLength(1);
    expect(old.left[0]?.reason).toMatch(/fields expire/);
  });

  test('a hash that may have expiries and has none becomes a plain one', async () => {
    const body = Buffer.concat([lengthBytes(1), lengthBytes(0), lengthPrefixed('f'), lengthPrefixed('v')]);
    const bytes = await makeRdb([{ key: 'h', type: 22, value: body }], { version: 12 });
    const old = await rewrite(bytes, redis(9));
    expect(old.left).toEqual([]);
    expect((await entriesOf(old.bytes))[0]).toMatchObject({ type: 4, encoding: 'hashtable' });
    expect(await valuesOf(old.bytes)).toEqual(await valuesOf(bytes));
  });
});

test('type 22 is read by who wrote it', async () => {
  const texts = [lengthPrefixed('f'), lengthPrefixed('v')];
  const time = Buffer.alloc(8);
  time.writeBigInt64LE(4_000_000_000_000n);
  const ofValkey = await makeRdb(
    [{ key: 'h', type: 22, value: Buffer.concat([lengthBytes(1), ...texts, time]) }],
    {
      flavor: 'valkey',
      version: 80,
    },
  );
  const relative = Buffer.concat([Buffer.from([0x81]), Buffer.alloc(8)]);
  relative.writeBigUInt64BE(4_000_000_000_000n, 1);
  const ofRedis = await makeRdb(
    [{ key: 'h', type: 22, value: Buffer.concat([lengthBytes(1), relative, ...texts]) }],
    {
      version: 12,
    },
  );
  const expected = [
    [
      0,
      'h',
      undefined,
      {
        kind: 'hash',
        fields: [{ field: Buffer.from('f'), value: Buffer.from('v'), expireMs: 4_000_000_000_000n }],
      },
    ],
  ];
  expect(await valuesOf(ofValkey)).toEqual(expected);
  expect(await valuesOf(ofRedis)).toEqual(expected);
});

test.each([
  'listpack.rdb',
  'quicklist.rdb',
  'set_listpack.rdb',
  'encodings.rdb',
  'zset-ziplist.rdb',
  'intset_64.rdb',
])('%s keeps its values for every target', async (name) => {
  const before = await valuesOf(rdbFixture(name));
  for (const version of [6, 7, 8, 9, 10, 11, 12]) {
    const { bytes, left } = await rewrite(rdbFixture(name), redis(version));
    expect(left).toEqual([]);
    expect(await valuesOf(bytes)).toEqual(before);
  }
  expect(await valuesOf((await rewrite(rdbFixture(name), valkey9)).bytes)).toEqual(before);
});

test('streams lose only what an older server does not keep', async () => {
  const [before] = (await entriesOf(rdbFixture('stream_listoacks_3.rdb'))).map((entry) => entry.value());
  const read = async (version: number) =>
    (await entriesOf((await rewrite(rdbFixture('stream_listoacks_3.rdb'), redis(version))).bytes))[0]!;
  expect((await read(11)).value()).toEqual(before);
  const ten = await read(10);
  expect(ten.type).toBe(19);
  expect(ten.value()).toMatchObject({
    info: { firstId: '1704557973866-0' },
    groups: [{ consumers: [{ activeMs: undefined }] }],
  });
  const nine = await read(9);
  expect(nine.type).toBe(15);
  expect(nine.value()).toMatchObject({
    info: { length: 1n, lastId: '1704557973866-0', firstId: undefined, entriesAdded: undefined },
    groups: [
      {
        entriesRead: undefined,
        pending: [{ deliveries: 1n }],
        consumers: [{ pending: ['1704557973866-0'] }],
      },
    ],
  });
  const { left } = await rewrite(rdbFixture('stream_listoacks_3.rdb'), redis(8));
  expect(left[0]?.reason).toMatch(/streams came with Redis 5.0/);
});

test('functions and LRU marks are left out for servers that do not know them', async () => {
  const code = '#!lua name=mine\nreturn 1';
  const bytes = await makeRdb([{ key: 'k', value: 'v', idle: 77 }], { functions: [code] });
  const kept = await rewrite(bytes, redis(10));
  expect(kept.bytes.includes(code)).toBe(true);
  expect((await entriesOf(kept.bytes))[0]).toMatchObject({ idle: 77 });
  const old = await rewrite(bytes, redis(6));
  expect(old.left).toMatchObject([{ what: 'function' }, { what: 'key', kept: true }]);
  expect(old.bytes.toString('latin1', 0, 9)).toBe('REDIS0006');
  expect((await entriesOf(old.bytes))[0]).toMatchObject({ idle: undefined });
});

test('values of modules pass as they are, and are named', async () => {
  // Id 'ReJSON-RL' version 3: a string part, an integer part, a double, the end.
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  let id = 0n;
  for (const character of 'ReJSON-RL') id = (id << 6n) | BigInt(characters.indexOf(character));
  const head = Buffer.alloc(9);
  head[0] = 0x81;
  head.writeBigUInt64BE((id << 10n) | 3n, 1);
  const body = Buffer.concat([
    head,
    Buffer.from([5]),
    lengthPrefixed('{"a":1}'),
    Buffer.from([2, 7, 4]),
    Buffer.alloc(8),
    Buffer.from([0]),
  ]);
  const bytes = await makeRdb([{ key: 'doc', type: 7, value: body }]);
  const again = await rewrite(bytes, redis(10));
  expect(await valuesOf(again.bytes)).toEqual([
    [0, 'doc', undefined, { kind: 'module', name: 'ReJSON-RL', version: 3 }],
  ]);
  expect((await entriesOf(again.bytes))[0]?.body).toEqual(body);
  expect((await rewrite(bytes, redis(7))).left[0]?.reason).toMatch(/modules/);
});

test('a filter keeps what it is told to', async () => {
  const bytes = await makeRdb([
    { key: 'user:1', value: 'a' },
    { key: 'user:2', value: 'b', expireMs: 500 },
    { key: 'other', value: 'c' },
    { db: 2, key: 'user:1', value: 'd', expireMs: 2000 },
  ]);
  const kept = async (filter: object) =>
    (await entriesOf((await rewrite(bytes, redis(10), filter)).bytes)).map(({ db, key }) => `${db} ${key}`);
  expect(await kept({})).toHaveLength(4);
  expect(await kept({ patterns: [new KeyPattern('user:*')] })).toEqual(['0 user:1', '0 user:2', '2 user:1']);
  expect(await kept({ dbs: new Set([2]) })).toEqual(['2 user:1']);
  expect(await kept({ dropExpiredBefore: 1000 })).toEqual(['0 user:1', '0 other', '2 user:1']);
  expect(await kept({ kinds: new Set(['hash']) })).toEqual([]);
  expect(await kept({ sample: 0 })).toEqual([]);
  expect(await kept({ sample: 1 })).toHaveLength(4);
});

test('servers are known by name, also without their minor version', () => {
  expect(targetOfServer('redis-7.0')).toMatchObject(redis(10));
  expect(targetOfServer('redis-6')).toMatchObject(redis(9));
  expect(targetOfServer('valkey-8')).toMatchObject(redis(11));
  expect(targetOfServer('valkey-9')).toMatchObject(valkey9);
  expect(() => targetOfServer('redis-9000')).toThrow(/no server is known as 'redis-9000'/);
  expect(targetOfVersion(80)).toEqual(valkey9);
  expect(() => targetOfVersion(5)).toThrow(/cannot be written/);
  expect(targetOfInputs([redis(3)])).toEqual(redis(6));
  expect(targetOfInputs([redis(12), valkey9])).toEqual(valkey9);
});
