import { expect, test } from 'vitest';
import { nowhere, type Position } from '../stream/position.ts';
import { isStillThere } from './still-there.ts';

const at = (offset: number, phase: Position['phase'] = 'streaming'): Position => ({
  ...nowhere,
  ...{ phase, run: 'a', offset },
});

test('a target that says less than it had said lacks what came between', () => {
  expect(isStillThere(at(100), 100)).toBe(true);
  expect(isStillThere(at(120), 100)).toBe(true);
  expect(isStillThere(at(99), 100)).toBe(false);
  expect(isStillThere(at(100, 'copying'), 100)).toBe(false);
  expect(isStillThere(null, 100)).toBe(false);
  expect(isStillThere(null, null)).toBe(true);
});
