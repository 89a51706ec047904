/** Files of engines that are newer than most readers, and what they hold. */
import { describe, expect, test } from 'vitest';
import {
  brokenFixture,
  entriesOf,
  inPieces,
  lengthPrefixed,
  makeRdb,
  memorySink,
  rdbFixture,
} from '../../test/support/rdb-files.ts';
import type { Unloadable } from './copy.ts';
import { problemOf } from './errors.ts';
import { filterInto } from './filter.ts';
import type { Flavor } from './format.ts';
import { JsonWriter } from './json.ts';
import { dumpedValue } from './restore-payload.ts';
import { Scanner } from './scanner.ts';
import { targetOfServer } from './target.ts';
import { RdbVerifier } from './verify.ts';
import { RdbWriter } from './writer.ts';

async function asJson(bytes: Buffer): Promise<string> {
  const { sink, bytes: written } = memorySink();
  const writer = new JsonWriter(sink, { lines: true, test: () => true });
  const scanner = new Scanner(writer);
  for (const piece of inPieces(bytes, 7)) scanner.push(piece);
  scanner.finish();
  writer.finish();
  return (await written()).toString();
}

function problemIn(bytes: Buffer) {
  try {
    const verifier = new RdbVerifier();
    verifier.push(bytes);
    verifier.finish();
  } catch (error) {
    return { ...problemOf(error), code: (error as { code?: string }).code };
  }
  return undefined;
}

const id = (ms: number) => Buffer.from([0, 0, 0, 0, 0, 0, 0, ms, 0, 0, 0, 0, 0, 0, 0, 0]);

/** A stream without entries as Redis 8.6 writes it: one producer that has sent two ids. */
function idempotentStream(seconds = [0x40, 100]): Buffer {
  const info = Buffer.from([0, 0, 9, 0, 0, 0, 0, 0, 2]);
  const group = Buffer.concat([Buffer.from([1]), lengthPrefixed('g'), Buffer.from([3, 0, 1, 1]), id(1)]);
  const pending = Buffer.concat([Buffer.from('7b00000000000000', 'hex'), Buffer.from([2, 1])]);
  const consumer = Buffer.concat([lengthPrefixed('c'), Buffer.alloc(16, 1), Buffer.from([1]), id(1)]);
  const producer = Buffer.concat([
    lengthPrefixed('producer'),
    Buffer.from([2]),
    ...[lengthPrefixed('one'), Buffer.from([7, 1]), lengthPrefixed('two'), Buffer.from([8, 0])],
  ]);
  const limits = Buffer.from([...seconds, 50, 1]);
  return Buffer.concat([info, group, pending, consumer, limits, producer, Buffer.from([2, 5])]);
}

describe('Redis 8.6', () => {
  test('a stream, which is of a type of its own there', async () => {
    const [entry] = await entriesOf(rdbFixture('redis86-stream.rdb'));
    expect(entry).toMatchObject({ type: 26, kind: 'stream' });
    expect(entry!.value()).toMatchObject({
      entries: [{ id: '1-1', fields: [{ field: Buffer.from('f'), value: Buffer.from('v') }] }],
      info: { length: 1n, lastId: '1-1', entriesAdded: 1n },
      groups: [],
      idempotence: { seconds: 100n, maxIds: 100n, producers: [], added: 0n, duplicates: 0n },
    });
  });

  test('what it remembers of producers', async () => {
    const bytes = await makeRdb([{ key: 's', type: 26, value: idempotentStream() }], { version: 13 });
    expect(problemIn(bytes)).toBeUndefined();
    const [entry] = await entriesOf(bytes);
    expect(entry!.value()).toMatchObject({
      groups: [{ entriesRead: 1n, pending: [{ id: '1-0', deliveredMs: 123n, deliveries: 2n }] }],
      idempotence: {
        ...{ seconds: 100n, maxIds: 50n, added: 2n, duplicates: 5n },
        producers: [
          {
            name: Buffer.from('producer'),
            ids: [
              { id: Buffer.from('one'), entry: '7-1' },
              { id: Buffer.from('two'), entry: '8-0' },
            ],
          },
        ],
      },
    });
    const [line] = (await asJson(bytes)).split('\n');
    expect(JSON.parse(line!)).toMatchObject({
      value: {
        groups: [{ name: 'g' }],
        idempotence: {
          ...{ seconds: 100, maxIds: 50, added: 2, duplicates: 5 },
          producers: [{ name: 'producer', ids: [{ id: 'one', entry: '7-1' }, { id: 'two' }] }],
        },
      },
    });
  });

  test('limits that no server would load are told', async () => {
    const bytes = await makeRdb([{ key: 's', type: 26, value: idempotentStream([0x40, 0]) }], {
      version: 13,
    });
    expect(problemIn(bytes)).toMatchObject({
      kind: 'corrupt',
      reason: expect.stringContaining('0 is not from 1'),
    });
  });

  test('a vector set, as the value of a module', async () => {
    const entries = await entriesOf(rdbFixture('redis86-vectorset.rdb'));
    expect(entries[1]!.value()).toMatchObject({ kind: 'module', name: 'vectorset' });
  });
});

describe('what modules keep of a key beside its value', () => {
  // One class with an integer, a double, a string and the end; then one with nothing.
  const metadata = Buffer.concat([
    Buffer.from([0xf3, 2, 1, 2, 3, 4, 2, 7, 4, 0, 0, 0, 0, 0, 0, 0, 0, 5]),
    lengthPrefixed('text'),
    Buffer.from([0, 5, 6, 7, 8, 0]),
  ]);
  const value = Buffer.concat([Buffer.from([0]), lengthPrefixed('k'), lengthPrefixed('v')]);
  const file = (version: string, ...parts: Buffer[]) =>
    Buffer.concat([
      Buffer.from(`REDIS00${version}\xfe\x00`, 'latin1'),
      ...parts,
      Buffer.from([0xff]),
      Buffer.alloc(8),
    ]);
  const expiry = Buffer.from([0xfc, 0, 0, 0, 0, 0, 1, 0, 0]);

  test('is passed over, wherever the file is cut', async () => {
    const bytes = file('13', expiry, metadata, value, value);
    for (const entries of [await entriesOf(bytes), await entriesOf(bytes, 1)]) {
      expect(entries.map((entry) => [entry.key.toString(), entry.expireMs])).toEqual([
        ['k', 2n ** 40n],
        ['k', undefined],
      ]);
    }
    for (let end = 11; end < bytes.length; end++) {
      expect(problemIn(bytes.subarray(0, end))).toMatchObject({ kind: 'truncated' });
    }
  });

  test('is not there before RDB version 13, has 7 modules at most, and an end', () => {
    expect(problemIn(file('12', metadata, value))).toMatchObject({ kind: 'unsupported', offset: 11 });
    expect(problemIn(file('13', Buffer.from([0xf3, 8]), value))).toMatchObject({ kind: 'corrupt' });
    expect(problemIn(file('13', Buffer.from([0xf3, 1, 1, 2, 3, 4, 9]), value))).toMatchObject({
      kind: 'corrupt',
    });
    const endless = Buffer.concat([Buffer.from([0xf3, 1, 1, 2, 3, 4]), Buffer.alloc(2 ** 21, 1)]);
    expect(problemIn(file('13', endless))).toMatchObject({ kind: 'too-large' });
  });

  test('is left out of what is written, and told', async () => {
    const { sink, bytes: written } = memorySink();
    const writer = new RdbWriter(sink, 'redis', 13);
    const told: Unloadable[] = [];
    const onUnloadable = (each: Unloadable) => told.push(each);
    const target = targetOfServer('redis-8.6');
    const scanner = new Scanner(
      filterInto(writer, { test: () => true, target, inputAux: {}, nowMs: 0, onUnloadable }),
    );
    scanner.push(file('13', metadata, value));
    scanner.finish();
    writer.finish();
    const [entry] = await entriesOf(await written());
    expect(entry!.value()).toMatchObject({ kind: 'string' });
    expect((await written()).includes(metadata)).toBe(false);
    expect(told).toMatchObject([
      { key: Buffer.from('k'), reason: 'without what modules keep of it', kept: true },
    ]);
  });

  test('stands before the type in what DUMP gives', () => {
    const footer = Buffer.alloc(10);
    const body = lengthPrefixed('v');
    for (const before of [Buffer.alloc(0), metadata]) {
      const dumped = dumpedValue(Buffer.concat([before, Buffer.from([0]), body, footer]));
      expect(dumped).toEqual({ type: 0, body });
    }
    expect(() => dumpedValue(Buffer.concat([metadata.subarray(0, 9), footer]))).toThrow('a dump ends inside');
  });
});

describe('Valkey 9', () => {
  test('fields that expire', async () => {
    const [entry] = await entriesOf(rdbFixture('valkey9-field-ttl.rdb'));
    expect(entry!.value()).toMatchObject({
      fields: [
        { field: Buffer.from('a'), expireMs: 1_924_992_000_123n },
        { field: Buffer.from('b'), value: Buffer.from('2') },
      ],
    });
  });

  test('beyond 48 bits, and at 0, which is a time like any other', async () => {
    const [entry] = await entriesOf(rdbFixture('valkey9-field-ttl-2p48.rdb'));
    expect(entry!.value()).toMatchObject({ fields: [{ expireMs: 2n ** 48n }, {}] });
    const field = (name: string, time: bigint) => {
      const at = Buffer.alloc(8);
      at.writeBigInt64LE(time);
      return Buffer.concat([lengthPrefixed(name), lengthPrefixed('v'), at]);
    };
    const made = (time: bigint) =>
      makeRdb([{ key: 'h', type: 22, value: Buffer.concat([Buffer.from([1]), field('f', time)]) }], {
        flavor: 'valkey',
        version: 80,
      });
    for (const time of [0n, 9_007_199_254_740_993n, 2n ** 63n - 1n]) {
      const [hash] = await entriesOf(await made(time));
      expect(hash!.value()).toMatchObject({ fields: [{ expireMs: time }] });
      expect(await asJson(await made(time))).toContain(`"fieldExpireAt":{"f":${time}}`);
    }
    expect(problemIn(await made(-2n))).toMatchObject({ kind: 'corrupt' });
  });
});

describe('what is newer than this reader', () => {
  test('a type is named before its key is read, and is not called corrupt', () => {
    expect(problemIn(brokenFixture('unknown-type-27.rdb'))).toMatchObject({
      ...{ code: 'RDB_UNSUPPORTED', offset: 9 },
      reason: expect.stringContaining('type 27'),
    });
  });

  const madeBy = async (by: string, version: number, typeByte: number, flavor: Flavor = 'redis') => {
    const bytes = await makeRdb([{ key: 'k', type: typeByte, value: 'x' }], { version, flavor });
    bytes.write(by.padEnd(6).slice(0, 6), bytes.indexOf('7.0.15'), 'latin1');
    return bytes;
  };

  test('a type, with what wrote it', async () => {
    expect(problemIn(await madeBy('8.8.0', 13, 28))?.reason).toMatch(
      /type 28.*RDB version 13, written by redis 8\.8\.0\. Or the byte is damaged$/,
    );
  });

  test('a version is not read, though each of its types is known; the release is named where it is known', async () => {
    expect(problemIn(await madeBy('8.8.0', 14, 0))).toMatchObject({
      ...{ code: 'RDB_UNSUPPORTED', offset: 0 },
      reason:
        'the file is of RDB version 14, which Redis 8.8 introduced, newer than what can be read here (13); it was written by redis 8.8.0',
    });
    expect(problemIn(await madeBy('9.9\x1b[2', 15, 0))?.reason).toMatch(
      /RDB version 15, newer .* redis 9\.92$/,
    );
    expect(problemIn(await madeBy('10.0.0', 81, 0, 'valkey'))?.reason).toMatch(
      /RDB version 81, newer .*\(80\)/,
    );
  });

  test('cut off or damaged behind its version, it is still that', async () => {
    const bytes = await madeBy('8.8.0', 14, 0);
    for (const end of [9, 10, 15, 40]) {
      expect(problemIn(bytes.subarray(0, end))?.code).toBe('RDB_UNSUPPORTED');
    }
    expect(problemIn(Buffer.concat([bytes.subarray(0, 9), Buffer.from([0xfa, 0xff, 0xff])]))?.code).toBe(
      'RDB_UNSUPPORTED',
    );
  });
});
