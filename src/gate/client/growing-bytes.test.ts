import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { GrowingBytes } from './growing-bytes.ts';

test('pieces come back as one, and no more is taken than there may be', () => {
  const bytes = new GrowingBytes(200_000);
  const pieces = Array.from({ length: 150 }, (_, index) => Buffer.alloc(1000 + index, index));
  const all = Buffer.concat(pieces);
  for (const piece of pieces) expect(bytes.add(piece)).toBe(true);
  expect(bytes.size).toBe(all.length);
  expect(bytes.add(Buffer.alloc(200_000 - all.length + 1))).toBe(false);
  expect(bytes.size).toBe(all.length);
  expect(bytes.take().equals(all)).toBe(true);
  expect(bytes.size).toBe(0);
});

test('what it had is given back at once', () => {
  const megabytes = 64;
  const before = process.memoryUsage.rss();
  const bytes = new GrowingBytes(megabytes * 2 ** 20);
  const piece = Buffer.alloc(2 ** 20, 1);
  for (let count = 0; count < megabytes; count++) bytes.add(piece);
  const full = process.memoryUsage.rss();
  bytes.clear();
  const after = process.memoryUsage.rss();
  expect(full - before).toBeGreaterThan((megabytes / 2) * 2 ** 20);
  expect(full - after).toBeGreaterThan((megabytes / 2) * 2 ** 20);
});
