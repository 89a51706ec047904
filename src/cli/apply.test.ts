import { expect, test } from 'vitest';
import { whatWasDone } from './apply.ts';

test('what waits for a restart is not called applied', () => {
  expect(whatWasDone(0, 0)).toBe('applied 0 changes');
  expect(whatWasDone(1, 0)).toBe('applied 1 change');
  expect(whatWasDone(3, 1)).toBe('applied 2 changes; 1 change waits for a restart');
  expect(whatWasDone(2, 2)).toBe('2 changes wait for a restart');
});
