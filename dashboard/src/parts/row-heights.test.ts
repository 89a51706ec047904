import { expect, test } from 'vitest';
import { linePx, rowAt, rowEdges, rowPx } from './row-heights.ts';

test('a row is as high as the longest of its texts needs, and never lower than one line', () => {
  const more = (lines: number) => linePx.first + lines * linePx.more;
  const text = (length: number) => 'a'.repeat(length);
  expect(rowPx([])).toBe(more(0));
  expect(rowPx([[[''], 300]])).toBe(more(0));
  expect(rowPx([[[text(30)], 300]])).toBe(more(0));
  expect(rowPx([[[text(100)], 300]])).toBe(more(2));
  expect(
    rowPx([
      [['a'], 300],
      [[text(100)], 300],
    ]),
  ).toBe(more(2));
  expect(rowPx([[[text(5), text(100)], 300]])).toBe(more(3));
  // While nobody knows how wide the table is.
  expect(rowPx([[['abc'], 0]])).toBe(more(2));
});

test('the row at each height is found, whatever heights they have', () => {
  const edges = rowEdges([38, 60, 38, 82]);
  expect(edges).toEqual([0, 38, 98, 136, 218]);
  const found = [-5, 0, 37, 38, 97, 98, 135, 136, 217, 9999].map((px) => rowAt(edges, px));
  expect(found).toEqual([0, 0, 0, 1, 1, 2, 2, 3, 3, 3]);
  expect(rowAt(rowEdges([]), 10)).toBe(0);
});
