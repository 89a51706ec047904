import { expect, test } from 'vitest';
import { ago, bytes, count, duration, plural, utc } from './format.ts';

test('counts', () => {
  expect([0, 999.6, 1234, 12_345, 1_234_567, 2e9, null].map(count)).toEqual([
    ...['0', '1,000', '1,234', '12.3k', '1.23M', '2.00G', '–'],
  ]);
});

test('bytes', () => {
  expect([0, 1023, 1024, 1.5 * 1024 ** 3, undefined].map(bytes)).toEqual([
    ...['0 B', '1023 B', '1.0 KiB', '1.5 GiB', '–'],
  ]);
});

test('durations and ages', () => {
  expect([0, 0.421, 23.4, 4200, 180_000, 7_500_000, 4 * 86_400_000].map(duration)).toEqual([
    ...['0 ms', '0.42 ms', '23 ms', '4.2 s', '3 min', '2 h 5 min', '4 d'],
  ]);
  expect([10, 12_900, 65_000].map(ago)).toEqual(['just now', '12 s ago', '1 min ago']);
});

test('instants in UTC have their milliseconds', () => {
  expect(utc(Date.UTC(2026, 0, 2, 3, 4, 5, 6))).toBe('2026-01-02 03:04:05.006 UTC');
});

test('plurals', () => {
  expect([plural(1, 'client'), plural(2, 'client')]).toEqual(['1 client', '2 clients']);
});
