import { describe, expect, test } from 'vitest';
import { hostOrder, isVerifyDue, lastDueMs, nextDueMs, nextTryMs, retryPauseMs } from './schedule.ts';

const daily = { schedule: '0 2 * * *', timezone: 'UTC' };
const at = (text: string) => Date.parse(text);
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

describe('what is due', () => {
  test.each([
    ['2026-03-05T01:59:59.999Z', '2026-03-04T02:00:00.000Z'],
    ['2026-03-05T02:00:00.000Z', '2026-03-05T02:00:00.000Z'],
    ['2026-03-05T02:00:00.500Z', '2026-03-05T02:00:00.000Z'],
    ['2026-03-05T23:00:00.000Z', '2026-03-05T02:00:00.000Z'],
  ])('at %s it is that of %s', (now, due) => {
    expect(iso(lastDueMs(daily, at(now)))).toBe(due);
  });

  test('the next one is after now, never now', () => {
    expect(iso(nextDueMs(daily, at('2026-03-05T02:00:00Z')))).toBe('2026-03-06T02:00:00.000Z');
  });

  test('an hour that the clock skips or repeats has one run a day', () => {
    const berlin = { schedule: '30 2 * * *', timezone: 'Europe/Berlin' };
    const hours = (from: string) =>
      new Set(
        Array.from({ length: 97 }, (_, quarter) => iso(lastDueMs(berlin, at(from) + quarter * 900_000))),
      );
    expect(hours('2026-03-28T12:00:00Z').size).toBe(2);
    expect(hours('2026-10-24T12:00:00Z').size).toBe(2);
  });

  test('a month without the day has none', () => {
    const leap = { schedule: '0 0 29 2 *', timezone: 'UTC' };
    expect(iso(lastDueMs(leap, at('2026-11-21T00:00:00Z')))).toBe('2024-02-29T00:00:00.000Z');
  });
});

test('hosts with a linked replica come first, each group as the spec has it', () => {
  expect(hostOrder(['a', 'b', 'c', 'd'], new Set(['d', 'b']))).toEqual(['b', 'd', 'a', 'c']);
  expect(hostOrder(['a'], new Set())).toEqual(['a']);
});

test('the pause after a try doubles, up to an hour', () => {
  expect([1, 2, 3, 4, 5, 9].map((tries) => retryPauseMs(tries) / 60_000)).toEqual([5, 10, 20, 40, 60, 60]);
});

test('after a try that is dated ahead of now the next may begin at once', () => {
  const now = at('2026-03-08T02:00:30Z');
  expect(nextTryMs({ number: 2, atMs: now - 60_000 }, now)).toBe(now + 9 * 60_000);
  expect(nextTryMs({ number: 1, atMs: now + 60_000 }, now)).toBe(now + 6 * 60_000);
  expect(nextTryMs({ number: 1, atMs: at('2031-01-01T00:00:00Z') }, now)).toBe(now);
});

describe('verifying', () => {
  const now = at('2026-03-08T02:00:30Z');

  test('is due when none was verified, or when that was a day or a week ago, a little less', () => {
    expect(isVerifyDue('weekly', undefined, now)).toBe(true);
    expect(isVerifyDue('weekly', at('2026-03-01T02:01:00Z'), now)).toBe(true);
    expect(isVerifyDue('weekly', at('2026-03-02T02:01:00Z'), now)).toBe(false);
    expect(isVerifyDue('daily', at('2026-03-07T02:01:00Z'), now)).toBe(true);
    expect(isVerifyDue('daily', at('2026-03-07T12:00:00Z'), now)).toBe(false);
    expect(isVerifyDue('never', undefined, now)).toBe(false);
    expect(isVerifyDue('weekly', at('2026-03-08T02:03:00Z'), now)).toBe(false);
  });

  test('is due when the last was dated ahead of now: that one says nothing', () => {
    expect(isVerifyDue('weekly', at('2027-01-01T00:00:00Z'), now)).toBe(true);
    expect(isVerifyDue('never', at('2027-01-01T00:00:00Z'), now)).toBe(false);
  });
});
