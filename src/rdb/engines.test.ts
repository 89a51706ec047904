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
import { problemOf } from './errors.ts';
import { JsonWriter } from './json.ts';
import { Scanner } from './scanner.ts';
import { RdbVerifier } from './verify.ts';

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
    new RdbVerifier().push(bytes);
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

  test('with the release that wrote it', async () => {
    const head = (version: number, by: string) =>
      makeRdb([{ key: 'k', type: 28, value: 'x' }], { version }).then((bytes) => {
        const at = bytes.indexOf('7.0.15');
        bytes.write(by.padEnd(6).slice(0, 6), at, 'latin1');
        return bytes;
      });
    expect(problemIn(await head(14, '8.8.0'))?.reason).toMatch(
      /type 28.*RDB version 14, which Redis 8\.8 introduced, written by redis 8\.8\.0$/,
    );
    expect(problemIn(await head(15, '9.9\x1b[2'))?.reason).toMatch(/RDB version 15, written by redis 9\.92$/);
  });
});
