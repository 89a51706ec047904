/** A restore prepares nothing that would end the server which is to load it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  entriesOf,
  inPieces,
  lengthBytes,
  lengthPrefixed,
  makeRdb,
  rdbFixture,
} from '../../test/support/rdb-files.ts';
import type { Unloadable } from '../rdb/copy.ts';
import { targetOfVersionText } from '../rdb/target.ts';
import { DeadlyValues } from './deadly-values.ts';
import { prepareRdb } from './restore-file.ts';
import type { Taker } from './restore-taker.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function taker(version: string, types: string[] = [], hasOthers = false): Taker {
  return { target: targetOfVersionText(version, { types, hasOthers }), version, databases: 16 };
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield* inPieces(bytes, 100);
}

/** Stands for a server. */
async function askLibrary(code: Buffer): Promise<string | undefined> {
  return code.includes('not lua') ? 'ERR Error compiling function' : undefined;
}

async function prepare(bytes: Buffer, to: Taker, dropUnsupported = false) {
  const file = path.join(folder, 'prepared.rdb');
  const told: Unloadable[] = [];
  const onUnloadable = (each: Unloadable) => told.push(each);
  const prepared = await prepareRdb(piecesOf(bytes), file, to, null, {
    ...{ dropUnsupported, onUnloadable, askLibrary, onBytes: () => {} },
  });
  const keys = (await entriesOf(readFileSync(file))).map(({ key }) => key.toString());
  return { prepared, told, keys };
}

test('a vector set goes where one can be loaded, and is refused or left out elsewhere', async () => {
  const vectors = rdbFixture('redis86-vectorset.rdb');
  const fits = await prepare(vectors, taker('redis 8.6.3', ['vectorset']));
  expect(fits).toMatchObject({ keys: ['a', 'vs'], told: [], prepared: { keys: 2, converted: false } });
  for (const version of ['redis 8.6.3', 'redis 7.0.15', 'valkey 9.1.2']) {
    await expect(prepare(vectors, taker(version))).rejects.toMatchObject({
      code: 'RESTORE_DOES_NOT_FIT',
      message: expect.stringMatching(
        /key 'vs' of database 0: .*type vectorset, and the server has no module/,
      ),
      hint: expect.stringContaining('--drop-unsupported'),
    });
    const dropped = await prepare(vectors, taker(version), true);
    expect(dropped).toMatchObject({ keys: ['a'], prepared: { keys: 1, keysRead: 2 } });
    expect(dropped.told).toMatchObject([{ key: Buffer.from('vs') }]);
  }
});

test('a key that comes twice is refused, and its second value left out', async () => {
  const twice = await makeRdb([
    { key: 'a', value: '1' },
    { key: 'b', value: '2' },
    { key: 'a', value: '3' },
    { db: 1, key: 'a', value: '4' },
  ]);
  await expect(prepare(twice, taker('redis 7.0.15'))).rejects.toThrow(/key 'a' of database 0: .*twice/);
  expect(await prepare(twice, taker('redis 7.0.15'), true)).toMatchObject({
    keys: ['a', 'b', 'a'],
    prepared: { keys: 3 },
  });
});

test('databases, engines of functions and field expiry that the server lacks, all in one answer', async () => {
  const bytes = await makeRdb([{ db: 20, key: 'far', value: 'x' }], {
    functions: ['#!js name=lib\n', '#!lua name=good\n'],
  });
  await expect(prepare(bytes, taker('redis 7.0.15'))).rejects.toThrow(
    /library lib: it is for js; key 'far' of database 20: it would go to database 20/,
  );
  const dropped = await prepare(bytes, taker('redis 7.0.15'), true);
  expect(dropped.told).toHaveLength(2);
  expect(readFileSync(path.join(folder, 'prepared.rdb')).includes('name=good')).toBe(true);
  const hash = rdbFixture('valkey9-field-ttl.rdb');
  await expect(prepare(hash, taker('redis 7.0.15'))).rejects.toThrow(/key 'h' .*fields expire/);
  expect((await prepare(hash, taker('redis 8.0.6'))).prepared).toMatchObject({ keys: 1, converted: true });
});

test('values that would end the server are refused, or left out: elements and groups that come twice, entries of no group', async () => {
  const made: [string, number, Buffer[], RegExp][] = [
    ['hash', 4, [lengthBytes(2), ...['f', '1', 'f', '2'].map(lengthPrefixed)], /a field comes twice/],
    ['set', 2, [lengthBytes(3), ...['a', 'b', 'a'].map(lengthPrefixed)], /a member comes twice/],
    [
      'zset',
      3,
      [lengthBytes(2), ...['a', '\u00021', 'a', '\u00022'].map((text) => member(text))],
      /a member comes twice/,
    ],
    ['groups', 15, [...noEntries, lengthBytes(2), ...group([], []), ...group([], [])], /group comes twice/],
    [
      'owned',
      15,
      [...noEntries, lengthBytes(1), ...group([], [['c', [id]]])],
      /of a consumer is not one of its group/,
    ],
    ['twice', 15, [...noEntries, lengthBytes(1), ...group([id, id], [])], /comes twice in a group/],
  ];
  for (const [name, type, body, reason] of made) {
    const entry = Buffer.concat([Buffer.from([type]), lengthPrefixed(name), ...body]);
    const file = Buffer.concat([
      Buffer.from('REDIS0009\xfe\x00', 'latin1'),
      plain('before'),
      entry,
      plain('after'),
      Buffer.from([255]),
      Buffer.alloc(8),
    ]);
    const refused = prepare(file, taker('redis 7.0.15'));
    await expect(refused).rejects.toMatchObject({ code: 'RESTORE_DOES_NOT_FIT' });
    await expect(refused).rejects.toThrow(reason);
    expect(await prepare(file, taker('redis 7.0.15'), true)).toMatchObject({
      ...{ keys: ['before', 'after'], prepared: { keys: 2, keysRead: 3 } },
      told: [{ what: 'key', key: Buffer.from(name), reason: expect.stringMatching(reason) }],
    });
  }
});

test('a library that no server takes is refused, or left out, with all else that does not fit', async () => {
  const bytes = await makeRdb([{ key: 'k', value: 'v' }], {
    functions: ['#!lua name=good\n', '#!lua name=bad\nthis is not lua', '#!js name=other\n'],
  });
  const refused = prepare(bytes, taker('redis 7.0.15'));
  await expect(refused).rejects.toMatchObject({ code: 'RESTORE_DOES_NOT_FIT' });
  await expect(refused).rejects.toThrow(
    /function: library other: it is for js; function: library bad: no server takes it: ERR Error compiling/,
  );
  const dropped = await prepare(bytes, taker('redis 7.0.15'), true);
  expect(dropped).toMatchObject({ keys: ['k'], prepared: { keys: 1, functions: 1 } });
  expect(dropped.told).toHaveLength(2);
  const written = readFileSync(path.join(folder, 'prepared.rdb'));
  expect(['name=good', 'name=bad', 'name=other'].map((text) => written.includes(text))).toEqual([
    true,
    false,
    false,
  ]);
});

test('a library that comes twice with other code is told of', async () => {
  const functions = ['#!lua name=one\n', '#!lua name=one\n-- other'];
  const { told } = await prepare(await makeRdb([], { functions }), taker('redis 7.0.15'), true);
  expect(told).toMatchObject([{ what: 'function', reason: 'function library one comes with other code' }]);
});

function plain(key: string): Buffer {
  return Buffer.concat([Buffer.from([0]), lengthPrefixed(key), lengthPrefixed('v')]);
}

const id = Buffer.concat([Buffer.alloc(7), Buffer.from([1]), Buffer.alloc(7), Buffer.from([1])]);
const noEntries = [0, 0, 5, 1].map(lengthBytes);

/** A score is text with its length before it, and no string. */
function member(text: string): Buffer {
  return text.startsWith('\u0002') ? Buffer.from([1, text.charCodeAt(1)]) : lengthPrefixed(text);
}

function group(pending: Buffer[], consumers: [string, Buffer[]][]): Buffer[] {
  const times = Buffer.alloc(8);
  return [
    ...[lengthPrefixed('g'), lengthBytes(0), lengthBytes(0)],
    ...[lengthBytes(pending.length), ...pending.flatMap((each) => [each, times, lengthBytes(1)])],
    lengthBytes(consumers.length),
    ...consumers.flatMap(([name, owned]) => [
      lengthPrefixed(name),
      times,
      lengthBytes(owned.length),
      ...owned,
    ]),
  ];
}

test('what a file says of itself is not believed: its version, and how many keys are to come', async () => {
  const [set] = await entriesOf(rdbFixture('set_listpack.rdb'));
  // A form that came with version 11, in a file that says 10: a server of that version ends when it meets it.
  const early = await makeRdb([{ key: 's', type: set!.type, value: set!.body }], { version: 10 });
  const { keys, told } = await prepare(early, taker('redis 7.0.15'));
  expect([keys, told]).toEqual([['s'], []]);
  const [written] = await entriesOf(readFileSync(path.join(folder, 'prepared.rdb')));
  expect(written!.type).toBeLessThan(set!.type);
  // A server makes tables for as many keys as it is told of.
  const plain = await makeRdb([{ key: 'k', value: 'v' }]);
  const at = plain.indexOf(Buffer.from([0xfe, 0])) + 2;
  const many = Buffer.from([0xfb, 0x81, ...new Array(8).fill(0xff), 0]);
  const huge = Buffer.concat([plain.subarray(0, at), many, plain.subarray(at)]);
  huge.fill(0, huge.length - 8);
  expect((await prepare(huge, taker('redis 7.0.15'))).keys).toEqual(['k']);
  expect(readFileSync(path.join(folder, 'prepared.rdb')).includes(many)).toBe(false);
});

test('a stream with a node twice, or with a pending entry that no consumer has, is found', () => {
  const values = new DeadlyValues();
  const why = (tell: () => void) => {
    values.begin('stream');
    tell();
    return values.why;
  };
  const node = (ms: bigint) => values.streamNode(1, ms, 0n);
  const pending = [{ id: '1-1', deliveredMs: 5n, deliveries: 1n }];
  const consumer = { name: Buffer.from('c'), seenMs: 0n, activeMs: 0n, pending: ['1-1'] };
  const group = { name: Buffer.from('g'), lastId: '1-1', entriesRead: 1n, pending, consumers: [consumer] };
  expect(why(() => [1n, 2n].forEach(node))).toBeUndefined();
  expect(why(() => [1n, 1n].forEach(node))).toBe('the node 1-0 comes twice in it');
  expect(why(() => values.streamGroup(group))).toBeUndefined();
  expect(why(() => values.streamGroup({ ...group, consumers: [] }))).toBe(
    "the pending entry 1-1 of a group is no consumer's",
  );
});
