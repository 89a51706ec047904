import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addLatencies, bucketOf, LatencyHistogram, upperMs } from './latency.ts';

test('every time lies below the bound of its bucket and not below the one before', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
      const bucket = bucketOf(ms);
      expect(ms).toBeLessThan(upperMs(bucket) ?? Number.POSITIVE_INFINITY);
      if (bucket > 0) expect(ms).toBeGreaterThanOrEqual((upperMs(bucket - 1) as number) - 0.001);
    }),
  );
});

test('bounds rise by a quarter at most, and end with none', () => {
  const bounds: number[] = [];
  for (let bucket = 0; ; bucket++) {
    const bound = upperMs(bucket);
    if (bound === null) break;
    bounds.push(bound);
  }
  for (const [index, bound] of bounds.entries()) {
    if (index > 0) expect(bound / (bounds[index - 1] as number)).toBeLessThanOrEqual(1.25);
  }
  expect(bounds[0]).toBe(0.008);
  expect(bounds.at(-1)).toBeGreaterThan(60_000);
  expect(bucketOf(1e12)).toBe(bounds.length);
});

describe('a histogram', () => {
  test('of nothing', () => {
    const nothing = { count: 0, sumMs: 0, maxMs: 0, p50Ms: 0, p99Ms: 0, buckets: [] };
    expect(new LatencyHistogram().read()).toEqual(nothing);
    expect(addLatencies([])).toEqual(nothing);
  });

  test('has quantiles within a quarter of the true ones, and the true count, sum and longest', () => {
    const histogram = new LatencyHistogram();
    for (let ms = 1; ms <= 1000; ms++) histogram.record(ms, 2);
    const { count, sumMs, maxMs, p50Ms, p99Ms } = histogram.read();
    expect({ count, sumMs, maxMs }).toEqual({ count: 2000, sumMs: 1_001_000, maxMs: 1000 });
    expect(p50Ms / 500).toBeGreaterThanOrEqual(1);
    expect(p50Ms / 500).toBeLessThanOrEqual(1.25);
    expect(p99Ms).toBeGreaterThanOrEqual(990);
    expect(p99Ms).toBeLessThanOrEqual(1000);
  });

  test('added to others is what one histogram of all would be', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 200_000 }))), (parts) => {
        const one = new LatencyHistogram();
        const several = parts.map((times) => {
          const histogram = new LatencyHistogram();
          for (const ms of times) {
            histogram.record(ms, 1);
            one.record(ms, 1);
          }
          return histogram.read();
        });
        expect(addLatencies(several)).toEqual(one.read());
      }),
    );
  });
});
