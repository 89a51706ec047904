import { expect, test } from 'vitest';
import { initialState, isPassing } from './primary-state.ts';

const rules = { sentinels: 3, majority: 2 };
const member = { id: 'redis-2', address: '10.1.0.2', port: 6379 };

test('a new primary’s refusals pass within ten seconds, and within the time for which clients are held', () => {
  const state = { ...initialState(rules, 0), primary: member, newSinceMs: 1000 };
  const passes = (nowMs: number, holdMs: number) => isPassing(state, { ...rules, holdMs }, member, nowMs);
  expect([passes(10_999, 3000), passes(11_000, 3000)]).toEqual([true, false]);
  expect([passes(13_000, 60_000), passes(61_000, 60_000)]).toEqual([true, false]);
});
