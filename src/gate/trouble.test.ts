import { expect, test } from 'vitest';
import { Trouble } from './trouble.ts';

test('the same trouble is told once, another one too, and that it is over', () => {
  const told: string[] = [];
  const trouble = new Trouble((text) => told.push(text));
  trouble.isOver('well');
  for (const text of ['refused', 'refused', 'late', 'late', 'refused']) trouble.is(text);
  trouble.isOver('well');
  trouble.isOver('well');
  trouble.is('refused');
  expect(told).toEqual(['refused', 'late', 'refused', 'well', 'refused']);
});
