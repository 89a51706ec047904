import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

/** Writes `perWrite` runs at a time, one every `gapMs`, and returns the time of the last write. */
function drive(pace: Pace, { gapMs, perWrite, underWay }: Record<string, number>, writes = 300): number {
  let now = 1000;
  for (let write = 0; write < writes; write++) {
    for (let run = 0; run < (perWrite as number); run++) {
      now += gapMs as number;
      pace.collect(now);
    }
    pace.wrote(now, underWay as number);
  }
  return now;
}

test('a connection that was idle waits for nothing', () => {
  const pace = new Pace();
  pace.collect(1);
  expect(pace.waits(1, 1)).toBe(false);
});

test('when requests come fast, a write waits for a good part of the clients', () => {
  const pace = new Pace();
  const now = drive(pace, { gapMs: 0.01, perWrite: 4, underWay: 40 });
  for (let run = 1; run < 40 * 0.65; run++) {
    pace.collect(now);
    expect(pace.waits(now, run), `run ${run}`).toBe(true);
  }
  pace.collect(now);
  expect(pace.waits(now, 26)).toBe(false);
});

test('and no longer than those should take to come, 0.4 ms at most', () => {
  const pace = new Pace();
  const now = drive(pace, { gapMs: 0.005, perWrite: 4, underWay: 40 });
  pace.collect(now);
  expect(pace.waits(now + 0.1, 1)).toBe(true);
  expect(pace.waits(now + 26 * 0.005 + 0.01, 1)).toBe(false);
  const slower = new Pace();
  const later = drive(slower, { gapMs: 0.0155, perWrite: 4, underWay: 200 });
  slower.collect(later);
  expect(slower.waits(later + 0.39, 1)).toBe(true);
  expect(slower.waits(later + 0.41, 1)).toBe(false);
});

test.each([
  ['when requests come slowly', { gapMs: 0.02, perWrite: 1, underWay: 50 }],
  ['when there is one client, however fast', { gapMs: 0.01, perWrite: 1, underWay: 1 }],
])('%s, nothing waits', (_when, load) => {
  const pace = new Pace();
  const now = drive(pace, load);
  pace.collect(now);
  expect(pace.waits(now, 1)).toBe(false);
});

test('one pause ends the waiting', () => {
  const pace = new Pace();
  const now = drive(pace, { gapMs: 0.01, perWrite: 4, underWay: 40 });
  pace.collect(now + 5);
  pace.wrote(now + 5, 1);
  pace.collect(now + 6);
  expect(pace.waits(now + 6, 1)).toBe(false);
});

test('the window is what should have a mebibyte of replies', () => {
  const pace = new Pace();
  // A few, until it is known how long answers are.
  expect(pace.window).toBe(64);
  pace.answered(10, 50);
  expect(pace.window).toBeGreaterThan(100_000);
  for (let round = 0; round < 60; round++) pace.answered(10, 10 * 11_000);
  expect(pace.window).toBeCloseTo((1024 * 1024) / 11_000, 0);
  for (let round = 0; round < 60; round++) pace.answered(1, 5 * 1024 * 1024);
  expect(pace.window).toBeLessThan(1);
  // Short ones again: it opens within a few hundred.
  for (let round = 0; round < 30; round++) pace.answered(10, 10 * 5);
  expect(pace.window).toBeGreaterThan(10_000);
});
