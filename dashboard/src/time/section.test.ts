import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRoute } from '../data/route.ts';
import {
  addressOf,
  addressOfRange,
  askedFor,
  earlier,
  later,
  parseSection,
  type Section,
  usualSection,
} from './section.ts';

const read = (address: string) => parseSection(parseRoute(address).query);
const minuteMs = 60_000;
const atMs = Date.parse('2026-11-25T10:00:00.000Z');

test('what is looked at stands in the address, and is read from it', () => {
  expect(addressOf(usualSection)).toBe('#/time');
  expect(addressOf({ spanMs: 60 * minuteMs, endMs: null })).toBe('#/time?last=1h');
  expect(addressOf({ spanMs: 90_400, endMs: null })).toBe('#/time?last=90s');
  const past = '#/time?from=2026-11-25T09:55:00.000Z&to=2026-11-25T10:00:00.000Z';
  expect(addressOf({ spanMs: 5 * minuteMs, endMs: atMs })).toBe(past);
  expect(read(past)).toEqual({ spanMs: 5 * minuteMs, endMs: atMs });
  expect(parseRoute(past).page).toBe('time');
});

test('every section is read as it was written, to the millisecond', () => {
  const spans = fc.integer({ min: 2000, max: 7 * 24 * 60 * minuteMs });
  fc.assert(
    fc.property(spans, fc.integer({ min: 1e9, max: 4e12 }), (spanMs, endMs) => {
      expect(read(addressOf({ spanMs, endMs }))).toEqual({ spanMs, endMs });
      const live = read(addressOf({ spanMs, endMs: null }));
      expect(live.endMs).toBeNull();
      expect(Math.abs(live.spanMs - spanMs)).toBeLessThanOrEqual(500);
    }),
  );
});

test('an address that makes no sense shows what is shown without', () => {
  const senseless = [
    'last=0m',
    'last=-5m',
    'last=9999999d',
    'last=1y',
    'from=now&to=then',
    'from=2026-11-25T10:00:00Z',
    'from=2026-11-25T10:00:00Z&to=2026-11-25T09:00:00Z',
    'from=1970-01-01&to=2026-11-25',
    'from=1969-01-01&to=1969-01-02',
    'from=%2B200000-01-01T00:00Z&to=%2B200000-01-02T00:00Z',
    '%',
  ];
  for (const query of senseless) expect(read(`#/time?${query}`), query).toEqual(usualSection);
  fc.assert(
    fc.property(fc.string(), fc.string(), (from, to) => {
      const { spanMs } = read(`#/time?${new URLSearchParams({ from, to, last: to })}`);
      expect(spanMs).toBeGreaterThanOrEqual(2000);
    }),
  );
});

test('back and forth go by half of what is shown, until it is now again', () => {
  const there: Section = { spanMs: 10 * minuteMs, endMs: null };
  const before = earlier(there, atMs);
  expect(before).toEqual({ spanMs: 10 * minuteMs, endMs: atMs - 5 * minuteMs });
  expect(later(before, atMs - 5 * minuteMs, atMs + 1000)).toEqual({ spanMs: 10 * minuteMs, endMs: atMs });
  expect(later(before, atMs - 5 * minuteMs, atMs)).toEqual(there);
  expect(addressOfRange({ fromMs: atMs - 2500.4, toMs: atMs + 0.2 })).toContain('09:59:57.500Z');
});

test('as much history is asked for as is shown, by the second where that is kept', () => {
  const asked = (spanMin: number, agoMin = 0) =>
    askedFor({ spanMs: spanMin * minuteMs, endMs: agoMin === 0 ? null : atMs - agoMin * minuteMs }, atMs);
  expect(asked(5)).toEqual({ step: '1s', backMs: 6 * minuteMs });
  expect(asked(15)).toEqual({ step: '1s', backMs: 16 * minuteMs });
  expect(asked(5, 8)).toEqual({ step: '1s', backMs: 16 * minuteMs });
  expect(asked(60).step).toBe('1s');
  expect(asked(5, 56).step).toBe('1m');
  expect(asked(24 * 60)).toEqual({ step: '1m', backMs: 25 * 60 * minuteMs });
  expect(asked(7 * 24 * 60).step).toBe('1m');
  expect(asked(1, 30 * 24 * 60).step).toBe('1m');
});
