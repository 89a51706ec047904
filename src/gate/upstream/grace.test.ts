import { expect, test } from 'vitest';
import { graceOf } from './grace.ts';

test('a former primary may answer for a second what is under way, less by the time in which it was not heard', () => {
  const usual = { blocked: false, lostForMs: 0, silentMs: 0 };
  expect(graceOf(usual)).toBe(1000);
  expect(graceOf({ ...usual, lostForMs: 400 })).toBe(600);
  expect(graceOf({ ...usual, lostForMs: 5000 })).toBe(50);
  expect(graceOf({ ...usual, blocked: true })).toBe(50);
});

test('one that hung has nothing to say that would last, however short the wait for its successor was', () => {
  const paused = { blocked: false, lostForMs: 0, silentMs: 2900 };
  expect(graceOf(paused)).toBe(1000);
  expect(graceOf({ ...paused, silentMs: 3100 })).toBe(50);
});
