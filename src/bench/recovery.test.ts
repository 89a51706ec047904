import { expect, test } from 'vitest';
import { newBucket } from './load/tally.ts';
import { recoveryOf, widen } from './recovery.ts';

/** Slices of 10 ms: 5 reads and 5 writes in each, unless `of` says otherwise. */
function slices(count: number, of: (index: number) => number = () => 5) {
  return Array.from({ length: count }, (_, i) => ({
    ...newBucket(),
    reads: of(i),
    writes: of(i),
    longestMs: 2,
  }));
}

test('a kill that nobody felt', () => {
  expect(recoveryOf(slices(400), 10, 2000)).toEqual({
    usualRps: 1000,
    writeGapMs: 0,
    recoveredMs: 0,
    longestWaitMs: 2,
    errorsAfter: 0,
  });
});

test('a gap is as long as the slices without a write, and recovery is when half a second is as usual', () => {
  const seen = slices(400, (i) => (i >= 200 && i < 230 ? 0 : 5));
  seen[230] = { reads: 5, writes: 5, errors: 3, longestMs: 301 };
  const found = recoveryOf(seen, 10, 2000);
  expect(found).toMatchObject({ usualRps: 1000, writeGapMs: 300, longestWaitMs: 301, errorsAfter: 3 });
  // 45 of the 50 slices of half a second are 90%: it begins 250 ms after the kill.
  expect(found.recoveredMs).toBe(250);
});

test('reads alone are no recovery of writes', () => {
  const seen = slices(400).map((slice, i) => (i >= 200 ? { ...slice, reads: 10, writes: 0 } : slice));
  expect(recoveryOf(seen, 10, 2000)).toMatchObject({ writeGapMs: 2000, recoveredMs: 0 });
});

test('a throughput that never comes back is not called recovered', () => {
  expect(
    recoveryOf(
      slices(400, (i) => (i < 200 ? 5 : 3)),
      10,
      2000,
    ).recoveredMs,
  ).toBeNull();
  expect(
    recoveryOf(
      slices(210, (i) => (i < 200 ? 5 : 0)),
      10,
      2000,
    ).recoveredMs,
  ).toBeNull();
});

test('wider slices add up, keep the longest wait, and leave out a last one that is cut short', () => {
  const seen = slices(25);
  seen[12] = { reads: 0, writes: 0, errors: 1, longestMs: 99 };
  expect(widen(seen, 10)).toEqual([
    { reads: 50, writes: 50, errors: 0, longestMs: 2 },
    { reads: 45, writes: 45, errors: 1, longestMs: 99 },
  ]);
});
