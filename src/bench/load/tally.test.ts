import { expect, test } from 'vitest';
import { mergeTallies, newTally, recordMs } from './tally.ts';

test('what threads saw comes together: counts add up, the longest wait and the busiest thread remain', () => {
  const [one, two] = [newTally(), newTally()];
  for (const ms of [1, 2, 3]) recordMs(one.latency, ms);
  recordMs(two.latency, 100);
  recordMs(two.latency, 0);
  one.buckets.push({ reads: 1, writes: 2, errors: 0, longestMs: 5 });
  two.buckets.push(
    { reads: 1, writes: 0, errors: 1, longestMs: 9 },
    { reads: 7, writes: 0, errors: 0, longestMs: 1 },
  );
  Object.assign(one, { errors: { UNCERTAIN: 1 }, dropped: 2, utilization: 0.4 });
  Object.assign(two, { errors: { UNCERTAIN: 2, ECONNREFUSED: 1 }, dropped: 1, utilization: 0.6 });
  const all = mergeTallies([one, two]);
  expect(all.latency.count).toBe(5);
  expect(all.latency.max / 1000).toBeCloseTo(100, 0);
  expect(all.latency.min).toBe(1);
  expect(all.buckets).toEqual([
    { reads: 2, writes: 2, errors: 1, longestMs: 9 },
    { reads: 7, writes: 0, errors: 0, longestMs: 1 },
  ]);
  expect(all).toMatchObject({ errors: { UNCERTAIN: 3, ECONNREFUSED: 1 }, dropped: 3, utilization: 0.6 });
});
