import { expect, test } from 'vitest';
import { sharedParts } from './owned.ts';

const part = (prefix: string, dbs: [number, number][] = []) => ({ prefix, dbs, sourceDbs: [0] });

test('where two sources write to the same databases, under prefixes that cover each other, it is nobody’s alone', () => {
  expect(sharedParts([part(''), part('a:')], [])).toEqual([true, true]);
  expect(sharedParts([part('a:'), part('b:')], [])).toEqual([false, false]);
  expect(sharedParts([part(''), part('', [[0, 1]])], [])).toEqual([false, false]);
});

test('so it is where a file’s keys go, whatever their databases are', () => {
  expect(sharedParts([part('')], [''])).toEqual([true]);
  expect(sharedParts([part('', [[0, 1]])], ['f:'])).toEqual([true]);
  expect(sharedParts([part('f:x:'), part('s:')], ['f:'])).toEqual([true, false]);
});
