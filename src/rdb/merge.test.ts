import { expect, test } from 'vitest';
import {
  entriesOf,
  type MadeEntry,
  makeRdb,
  memorySink,
  memorySpill,
  sourceOf,
} from '../../test/support/rdb-files.ts';
import { type Difference, diffFiles } from './diff.ts';
import { type MergeReport, mergeFiles } from './merge.ts';
import type { MergeInput, OnConflict } from './merge-input.ts';
import { RdbVerifier } from './verify.ts';
import { RdbWriter } from './writer.ts';

interface Merged {
  report: MergeReport;
  bytes: Buffer;
  conflicts: string[];
  entries: string[];
}

async function merge(
  inputs: MergeInput[],
  onConflict: OnConflict,
  maxKeysInMemory?: number,
): Promise<Merged> {
  let made: { sink: ReturnType<typeof memorySink>; writer: RdbWriter } | undefined;
  let conflicts: string[] = [];
  const report = await mergeFiles(
    inputs,
    async (target) => {
      const sink = memorySink();
      conflicts = [];
      made = { sink, writer: new RdbWriter(sink.sink, target.flavor, target.version) };
      return made.writer;
    },
    {
      onConflict,
      nowMs: 0,
      spill: memorySpill(),
      ...(maxKeysInMemory === undefined ? {} : { maxKeysInMemory }),
      onConflictFound: ({ db, key, dropped }) => conflicts.push(`${db} ${key} of ${dropped}`),
      onUnloadable: () => {},
    },
  );
  made!.writer.finish();
  const bytes = await made!.sink.bytes();
  const verifier = new RdbVerifier();
  verifier.push(bytes);
  expect(verifier.finish().checksum).toBe('matches');
  const entries = (await entriesOf(bytes)).map((entry) => {
    const value = entry.value();
    return `${entry.db} ${entry.key}=${value.kind === 'string' ? value.value : value.kind}`;
  });
  return { report, bytes, conflicts, entries: entries.toSorted() };
}

async function inputs(): Promise<MergeInput[]> {
  const files: MadeEntry[][] = [
    [
      { key: 'a', value: 'one', expireMs: 1000 },
      { key: 'both', value: 'one' },
      { key: 'late', value: 'one', expireMs: 1000 },
      { db: 1, key: 'a', value: 'one' },
    ],
    [
      { key: 'a', value: 'two', expireMs: 2000 },
      { key: 'both', value: 'two', expireMs: 9000 },
      { key: 'late', value: 'two', expireMs: 1000 },
      { key: 'own', value: 'two' },
    ],
  ];
  return Promise.all(
    files.map(async (entries, index) => sourceOf(`file${index + 1}`, await makeRdb(entries), 37)),
  );
}

test.each([
  ['in memory', undefined],
  ['with more keys than fit', 2],
])('the rules of conflicts hold, %s', async (_how, limit) => {
  const first = await merge(await inputs(), 'first', limit);
  expect(first.entries).toEqual(['0 a=one', '0 both=one', '0 late=one', '0 own=two', '1 a=one']);
  expect(first.conflicts.toSorted()).toEqual(['0 a of file2', '0 both of file2', '0 late of file2']);
  expect(first.report).toMatchObject({
    keysRead: 8,
    keysWritten: 5,
    conflicts: 3,
    readTwice: limit !== undefined,
  });
  const last = await merge(await inputs(), 'last', limit);
  expect(last.entries).toEqual(['0 a=two', '0 both=two', '0 late=two', '0 own=two', '1 a=one']);
  expect(last.conflicts.toSorted()).toEqual(['0 a of file1', '0 both of file1', '0 late of file1']);
  const newest = await merge(await inputs(), 'newest-expiry', limit);
  expect(newest.entries).toEqual(['0 a=two', '0 both=one', '0 late=one', '0 own=two', '1 a=one']);
  await expect(merge(await inputs(), 'fail', limit)).rejects.toMatchObject({
    code: 'RDB_CONFLICT',
    message: expect.stringMatching(
      /^3 keys are in more than one file, the first is '(a|both|late)' in database 0$/,
    ),
  });
});

test('prefixes and moved databases keep keys apart', async () => {
  const [one, two] = await inputs();
  const moved = await merge([one!, { ...two!, dbs: new Map([[0, 1]]) }], 'first');
  expect(moved.conflicts).toEqual(['1 a of file2']);
  const named = await merge([one!, { ...two!, prefix: Buffer.from('b:') }], 'fail');
  expect(named.entries).toContain('0 b:a=two');
  expect(named.report.keysWritten).toBe(8);
});

test('many keys and much disk agree with what memory says', async () => {
  const many = (from: number, to: number): MadeEntry[] =>
    Array.from({ length: to - from }, (_, index) => ({ key: `key:${from + index}`, value: `${from}` }));
  const files = [
    sourceOf('one', await makeRdb(many(0, 20_000))),
    sourceOf('two', await makeRdb(many(15_000, 30_000))),
  ];
  const inMemory = await merge(files, 'last');
  const onDisk = await merge(files, 'last', 100);
  expect(inMemory.report).toMatchObject({
    keysRead: 35_000,
    keysWritten: 30_000,
    conflicts: 5000,
    readTwice: false,
  });
  expect(onDisk.report).toMatchObject({
    keysRead: 35_000,
    keysWritten: 30_000,
    conflicts: 5000,
    readTwice: true,
  });
  expect(onDisk.entries).toEqual(inMemory.entries);
  expect(onDisk.conflicts.toSorted()).toEqual(inMemory.conflicts.toSorted());
});

test('function libraries of one name and two texts are a conflict', async () => {
  const library = (code: string) => makeRdb([], { functions: [`#!lua name=lib\n${code}`] });
  const files = [sourceOf('one', await library('return 1')), sourceOf('two', await library('return 2'))];
  await expect(merge(files, 'fail')).rejects.toThrow(/function library lib comes with other code/);
  const { report, bytes } = await merge(files, 'first');
  expect(report.functionClashes).toEqual(['function library lib comes with other code']);
  expect(bytes.includes('return 1') && !bytes.includes('return 2')).toBe(true);
  expect((await merge([files[0]!, files[0]!], 'fail')).report.functionClashes).toEqual([]);
});

test('an error says which of the files is bad', async () => {
  const [one, two] = await inputs();
  const broken = sourceOf('broken.rdb', (await makeRdb([{ key: 'k', value: 'v' }])).subarray(0, -5));
  await expect(merge([one!, broken, two!], 'first')).rejects.toMatchObject({
    code: 'RDB_TRUNCATED',
    message: expect.stringMatching(/^broken\.rdb: byte/),
  });
});

async function diff(one: MadeEntry[], other: MadeEntry[], rules = {}): Promise<string[]> {
  const found: Difference[] = [];
  const counts = await diffFiles(
    sourceOf('one', await makeRdb(one), 50),
    sourceOf('other', await makeRdb(other), 50),
    {
      spill: memorySpill(),
      expiryToleranceMs: 0,
      ignoreExpiry: false,
      details: 10,
      onDifference: (difference) => found.push(difference),
      ...rules,
    },
  );
  expect(counts.firstOnly + counts.secondOnly + counts.differing).toBe(found.length);
  return found
    .map(({ db, key, is, in: what }) => `${db} ${key} ${is}${what ? ` ${what.join()}` : ''}`)
    .toSorted();
}

test('diff sees keys, types, values and expiries, whatever the order', async () => {
  const one: MadeEntry[] = [
    { key: 'same', value: 'x', expireMs: 5 },
    { key: 'gone', value: 'x' },
    { key: 'value', value: 'x' },
    { key: 'expiry', value: 'x', expireMs: 1000 },
    { db: 4, key: 'same', value: 'x' },
  ];
  const other: MadeEntry[] = [
    { db: 4, key: 'same', value: 'x' },
    { key: 'expiry', value: 'x', expireMs: 1400 },
    { key: 'value', value: 'y' },
    { key: 'new', value: 'x' },
    { key: 'same', value: 'x', expireMs: 5 },
  ];
  expect(await diff(one, other)).toEqual([
    '0 expiry differs expiry',
    '0 gone first-only',
    '0 new second-only',
    '0 value differs value',
  ]);
  expect(await diff(one, other, { expiryToleranceMs: 1000 })).not.toContain('0 expiry differs expiry');
  expect(await diff(one, other, { ignoreExpiry: true, details: 0 })).toHaveLength(3);
  expect(await diff(one, one)).toEqual([]);
});
