import { expect, test } from 'vitest';
import { ReplyError } from '../resp/read.ts';
import { ServerClock } from './server-clock.ts';

/** What TIME answers `aheadMs` from now by our clock, at a server whose clock shows 1,000,000 s more. */
const timeIn = (aheadMs: number) => {
  const ms = performance.now() + aheadMs + 1_000_000_000;
  return [String(Math.floor(ms / 1000)), String(Math.round((ms % 1000) * 1000))];
};

test('the time of a server is known as closely as the quickest exchange tells, however late others are', () => {
  const clock = new ServerClock();
  expect(clock.isKnown).toBe(false);
  expect(clock.saw(0, new ReplyError('NOPERM no right to TIME'))).toBeUndefined();
  expect(clock.isKnown).toBe(false);
  const nowMs = performance.now();
  // It was asked 20 ms ago and answered at once; and another time 8 s ago, and the answer took all that time.
  clock.saw(nowMs - 20, timeIn(-10));
  expect(Math.abs(clock.here(nowMs + 1_000_000_000) - nowMs)).toBeLessThan(15);
  const serverMs = clock.saw(nowMs - 8000, timeIn(-7990));
  expect(Math.abs(clock.here(serverMs as number) - (nowMs - 7990))).toBeLessThan(15);
  expect(clock.there(clock.here(5_000_000))).toBe(5_000_000);
});

test('of a server whose clock was set, or of another, the last exchange counts', () => {
  const clock = new ServerClock();
  const nowMs = performance.now();
  clock.saw(nowMs - 20, timeIn(-10));
  clock.saw(nowMs - 20, timeIn(-60_000));
  expect(Math.abs(clock.here(nowMs + 1_000_000_000 - 60_000) - nowMs)).toBeLessThan(15);
});
