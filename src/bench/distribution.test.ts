import { expect, test } from 'vitest';
import { describe as describeValues, errorWords, median, spreadSentence, sumErrors } from './distribution.ts';
import { busyWarning } from './machine.ts';
import { inTurn } from './turns.ts';

test('medians of odd, even and no numbers', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, 0]);
});

test('a distribution is of its values in whatever order they come', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(describeValues(values)).toEqual({ minMs: 1, medianMs: 50.5, p95Ms: 96, maxMs: 100 });
});

test('how far rounds lie apart is said, or that there was only one', () => {
  const cells = [
    [100, 110, 120],
    [100, 100, 100],
    [50, 100, 150],
  ];
  expect(spreadSentence(cells)).toContain('by 18% of its median typically, and by 100% at worst');
  expect(spreadSentence([[1], [2]])).toContain('measured once');
});

test('errors add up by their word', () => {
  const sum = sumErrors([{ errors: { UNCERTAIN: 2 } }, { errors: { UNCERTAIN: 1, NOPRIMARY: 4 } }]);
  expect(errorWords(sum)).toBe('UNCERTAIN 3, NOPRIMARY 4');
  expect(errorWords({})).toBe('none');
});

test('everyone begins once', () => {
  expect([0, 1, 2, 3].map((round) => inTurn(['a', 'b', 'c'], round).join(''))).toEqual([
    ...['abc', 'bca', 'cab', 'abc'],
  ]);
  expect(inTurn([], 2)).toEqual([]);
});

test('a machine at work is warned of, with its load', () => {
  expect(busyWarning(0.5, 2)).toBeNull();
  expect(busyWarning(0.51, 2)).toContain('load 0.51 on 2 cores');
  expect(busyWarning(3, 1)).toContain('on 1 core)');
});
