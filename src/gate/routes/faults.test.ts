import { expect, test } from 'vitest';
import { drawFault } from './faults.ts';

const faults = [
  { commands: ['get'], percentage: 50, delayMs: 20, error: null },
  { commands: [], percentage: 10, delayMs: 0, error: 'ERR made on purpose' },
];

test('of the faults that fit the first one drawn counts; a percentage is of the requests', () => {
  expect(drawFault(faults, 'get', () => 0.4)).toEqual({ delayMs: 20, error: null });
  expect(drawFault(faults, 'get', () => 0.5)).toEqual({ delayMs: 0, error: null });
  expect(drawFault(faults, 'set', () => 0.09)).toEqual({ delayMs: 0, error: 'ERR made on purpose' });
  expect(drawFault(faults, 'set', () => 0.1)).toEqual({ delayMs: 0, error: null });
  const always = [{ commands: ['xgroup'], percentage: 100, delayMs: 1, error: null }];
  expect(drawFault(always, 'xgroup|create', () => 0.999)).toEqual({ delayMs: 1, error: null });
  expect(drawFault([], 'get', () => 0)).toEqual({ delayMs: 0, error: null });
});
