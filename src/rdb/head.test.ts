import { expect, test } from 'vitest';
import { inPieces, makeRdb, rdbFixture, sourceOf } from '../../test/support/rdb-files.ts';
import { type RdbItem, readItems } from './entries.ts';
import { readHead, withHead } from './head.ts';
import { RdbVerifier } from './verify.ts';

test('the head tells an empty file from one with data, and reads no further', async () => {
  const empty = await readHead([await makeRdb([])]);
  expect(empty).toMatchObject({
    flavor: 'redis',
    version: 10,
    hasData: false,
    aux: { 'redis-ver': '7.0.15' },
  });
  const whole = await makeRdb([{ key: 'k', value: 'v'.repeat(10_000) }]);
  expect(await readHead(inPieces(whole.subarray(0, 300), 7))).toMatchObject({ hasData: true });
  const functions = await makeRdb([], { functions: ['#!lua name=x\nreturn 1'] });
  expect(await readHead([functions])).toMatchObject({ hasData: true });
  await expect(readHead([whole.subarray(0, 20)])).rejects.toMatchObject({ code: 'RDB_TRUNCATED' });
  await expect(readHead([])).rejects.toThrow(/the file is empty/);
});

test('peeking gives back all of what was read', async () => {
  const bytes = rdbFixture('parser_filters.rdb');
  const pieces = await withHead(sourceOf('x', bytes, 100).open(), async (head, whole) => {
    expect(head.hasData).toBe(true);
    const found: Buffer[] = [];
    for await (const piece of whole) found.push(Buffer.from(piece));
    return found;
  });
  expect(Buffer.concat(pieces)).toEqual(bytes);
});

test.each([
  ['the head is no RDB', Buffer.from('nonsense, and more than nine bytes'), async () => 'never'],
  ['nobody wants the rest', rdbFixture('parser_filters.rdb'), async () => 'done'],
  [
    'its use fails',
    rdbFixture('parser_filters.rdb'),
    async () => {
      throw new Error('no');
    },
  ],
])('the source is closed when %s', async (_when, bytes, use) => {
  let isOpen = false;
  async function* source() {
    isOpen = true;
    try {
      yield* inPieces(bytes, 100);
    } finally {
      isOpen = false;
    }
  }
  await withHead(source(), use).catch(() => {});
  expect(isOpen).toBe(false);
});

test('items come in the order of the file, with all there is to know of them', async () => {
  const bytes = await makeRdb(
    [
      { key: 'a', value: '1', expireMs: 1000, freq: 9 },
      { db: 2, key: 'b', value: '2', idle: 5 },
    ],
    { functions: ['#!lua name=x\nreturn 1'] },
  );
  const items: RdbItem[] = [];
  for await (const item of readItems(inPieces(bytes, 5))) items.push(item);
  expect(items.map(({ is }) => is)).toEqual(['header', 'aux', 'function', 'entry', 'entry']);
  expect(items[3]).toMatchObject({
    db: 0,
    key: Buffer.from('a'),
    expireMs: 1000n,
    freq: 9,
    idle: undefined,
    kind: 'string',
    encoding: 'raw',
  });
  expect(items[4]).toMatchObject({ db: 2, expireMs: undefined, freq: undefined, idle: 5 });
});

test('a verifier lets a stream pass, knows where the RDB ends, and says what it held', async () => {
  const bytes = await makeRdb([
    { key: 'a', value: '1' },
    { key: 'b', value: '2', expireMs: 7 },
    { db: 9, key: 'c', value: '3' },
  ]);
  const verifier = new RdbVerifier();
  let taken = 0;
  for (const piece of inPieces(Buffer.concat([bytes, Buffer.from('+CONTINUE\r\n')]), 11))
    taken += verifier.push(piece);
  expect(taken).toBe(bytes.length);
  expect(verifier.isDone).toBe(true);
  expect(verifier.finish()).toMatchObject({
    keys: 3,
    bytes: bytes.length,
    checksum: 'matches',
    databases: [
      { db: 0, keys: 2, expiring: 1 },
      { db: 9, keys: 1, expiring: 0 },
    ],
  });
});
