import { expect, test } from 'vitest';
import { Rate } from './rate.ts';

test('of what comes in large pieces the rate is that of the last ten seconds', () => {
  let nowMs = 0;
  const rate = new Rate({ wallMs: () => nowMs, monotonicMs: () => nowMs });
  const at = (seconds: number, bytes: number) => {
    nowMs = seconds * 1000;
    return rate.of(bytes);
  };
  expect(at(0, 0)).toBe(0);
  // A piece of 2000 every other second.
  const rates = Array.from({ length: 20 }, (_, index) => at(index + 1, Math.floor((index + 1) / 2) * 2000));
  for (const each of rates.slice(9)) expect(Math.abs(each - 1000)).toBeLessThanOrEqual(200);
  // Then nothing more.
  expect(at(26, 20_000)).toBeLessThan(600);
  expect(at(31, 20_000)).toBe(0);
  // Begun anew.
  expect(at(32, 100)).toBe(0);
  expect(at(33, 600)).toBe(500);
});
