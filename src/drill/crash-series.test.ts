import { expect, test } from 'vitest';
import { type Batch, longestGapMs } from './crash-batch.ts';
import { readBatches, seriesHolds, seriesTable } from './crash-series.ts';

const batch = (changes: Partial<Batch> = {}): Batch => ({
  at: '2026-01-01T00:00:00.000Z',
  busy: false,
  durability: 'replicated',
  crashes: [{ gapMs: 20, healedMs: 300, promotions: 1, ownFailovers: 0 }],
  acknowledged: 1000,
  lost: 0,
  wrong: 0,
  dropped: 0,
  errors: { UNCERTAIN: 2 },
  ...changes,
});
const crash = (batch().crashes as [Batch['crashes'][number]])[0];

test('the longest time without a write after a kill, whether it is the first one or not', () => {
  expect(longestGapMs([90, 130, 140, 200], 100, 150)).toBe(60);
  expect(longestGapMs([90, 101, 141, 150], 100, 150)).toBe(40);
  expect(longestGapMs([], 100, 150)).toBe(0);
});

test('a line that was cut short does not count', () => {
  const text = `${JSON.stringify(batch())}\n${JSON.stringify(batch()).slice(0, 40)}`;
  expect(readBatches(text)).toEqual([batch()]);
});

test.each<[string, Partial<Batch>, boolean]>([
  ['one promotion each', {}, true],
  ['two promotions of one crash', { crashes: [{ ...crash, promotions: 2 }] }, false],
  ['a failover that a Sentinel began', { crashes: [{ ...crash, ownFailovers: 1 }] }, false],
  ['a lost write', { lost: 1 }, false],
  ['a lost write that was not promised to be kept', { lost: 1, durability: 'async' }, true],
  ['a dropped connection', { dropped: 1 }, false],
  ['something wrong', { wrong: 1 }, false],
])('%s', (_name, changes, holds) => {
  expect(seriesHolds([batch(), batch(changes)])).toBe(holds);
});

test('a row for the busy machine and one for the other', () => {
  const { rows, header } = seriesTable([batch(), batch({ busy: true }), batch()]);
  expect(rows.map((row) => row.slice(0, 5))).toEqual([
    ['as it was, replicated', 2, 2, 0, 2000],
    ['busy, replicated', 1, 1, 0, 1000],
  ]);
  for (const row of rows) expect(row).toHaveLength(header.length);
});
