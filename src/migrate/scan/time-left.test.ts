import { expect, test } from 'vitest';
import { TimeLeft } from './time-left.ts';

/** So many keys, of which each is gone through in the time that its bytes take at 1 MB/s. */
function copyOf(lengths: readonly number[]) {
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs } as never;
  const left = new TimeLeft(lengths.length, clock);
  const tookMs = (bytes: number) => bytes / 1000;
  return {
    left,
    goThrough: (from: number, to: number) => {
      for (const bytes of lengths.slice(from, to)) {
        nowMs += tookMs(bytes);
        left.saw({ gone: 1, keys: 1, bytes });
      }
    },
    really: (from: number) => lengths.slice(from).reduce((sum, bytes) => sum + tookMs(bytes), 0) / 1000,
  };
}

test('of keys that are about equally long the rest takes what those so far took', () => {
  const lengths = Array.from({ length: 1000 }, (_, n) => 10_000 + (n % 7) * 1000);
  const copy = copyOf(lengths);
  expect(copy.left.seconds).toBeNull();
  copy.goThrough(0, 200);
  expect(copy.left.seconds).toBeGreaterThan(copy.really(200) * 0.95);
  expect(copy.left.seconds).toBeLessThan(copy.really(200) * 1.05);
});

test('where few long ones make up most of it nobody tells, since it would be minutes too many or too few', () => {
  const lengths = Array.from({ length: 1000 }, (_, n) => (n === 150 || n === 160 ? 100_000_000 : 10_000));
  const copy = copyOf(lengths);
  copy.goThrough(0, 150);
  expect(copy.left.seconds).not.toBeNull();
  copy.goThrough(150, 200);
  // By the number of keys alone it would be 808 s.
  expect(copy.really(200)).toBe(8);
  expect(copy.left.seconds).toBeNull();
});

test('those that come together, and those that are not carried, count as many', () => {
  let nowMs = 0;
  const left = new TimeLeft(1100, { monotonicMs: () => nowMs } as never);
  nowMs = 1000;
  left.saw({ gone: 100, keys: 100, bytes: 200_000 });
  expect(left.seconds).toBeNull();
  nowMs = 3000;
  left.saw({ gone: 500, keys: 400, bytes: 1_000_000 });
  expect(left.seconds).toBe(2);
  left.saw({ gone: 1000, keys: 0, bytes: 0 });
  expect(left.seconds).toBe(0);
});

test('over a slow way it is not told by what took as long because the next ones were under way, too', () => {
  let nowMs = 19_000;
  const left = new TimeLeft(1000, { monotonicMs: () => nowMs } as never);
  nowMs = 38_000;
  left.saw({ gone: 100, keys: 100, bytes: 1_000_000 });
  nowMs = 39_000;
  left.saw({ gone: 100, keys: 100, bytes: 1_000_000 });
  expect(left.seconds).toBeNull();
  nowMs = 57_000;
  left.saw({ gone: 300, keys: 300, bytes: 3_000_000 });
  expect(left.seconds).toBe(24);
});
