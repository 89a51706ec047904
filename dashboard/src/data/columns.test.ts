import { expect, test } from 'vitest';
import { aloneIn, withHoles } from './columns.ts';

test('a hole in time is a hole in the line', () => {
  expect(withHoles([1000, 2000, 9000], [[1, 2, 3]], 1000)).toEqual({
    at: [1000, 2000, 3000, 9000],
    columns: [[1, 2, null, 3]],
  });
});

test('a sample between two that are missing is found, for it is no line', () => {
  expect(aloneIn([])).toEqual([]);
  expect(aloneIn([4])).toEqual([0]);
  expect(aloneIn([1, null, 2, null, null, 3, 4, null, 0])).toEqual([0, 2, 8]);
});
