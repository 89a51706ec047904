import { expect, test } from 'vitest';
import { addSample, behindForMs } from './lag.ts';

const samples = [0, 1, 2, 3, 4, 5].map((second) => ({ atMs: second * 1000, offset: second * 100 }));

test('a replica is behind since the primary first had what it does not have', () => {
  expect(behindForMs(samples, 500, 5200)).toBe(0);
  expect(behindForMs(samples, 100, 5200)).toBe(3200);
  expect(behindForMs([], 0, 5200)).toBe(0);
});

test('samples reach back a minute, however often is looked', () => {
  expect(addSample(samples, { atMs: 5100, offset: 510 })).toBe(samples);
  expect(addSample(samples, { atMs: 6000, offset: 600 }).at(-1)).toEqual({ atMs: 6000, offset: 600 });
  let kept: readonly { atMs: number; offset: number }[] = [];
  for (let atMs = 0; atMs < 600_000; atMs += 100) kept = addSample(kept, { atMs, offset: atMs });
  const reach = (kept.at(-1)?.atMs ?? 0) - (kept[0]?.atMs ?? 0);
  expect(reach).toBeGreaterThanOrEqual(59_000);
  expect(kept.length).toBeLessThanOrEqual(120);
});
