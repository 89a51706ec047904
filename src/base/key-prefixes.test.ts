import { expect, test } from 'vitest';
import { KeyPattern } from './key-pattern.ts';
import { commonPrefixes, keysUnder, patternUnder } from './key-prefixes.ts';

test('a key belongs to whoever has its beginning, and to whoever has everything', () => {
  const isOurs = keysUnder(['a:', 'é']);
  expect(['a:', 'a:1', 'éa'].map((key) => isOurs(Buffer.from(key)))).toEqual([true, true, true]);
  expect(['', 'a', 'b:a:', 'e'].map((key) => isOurs(Buffer.from(key)))).toEqual([false, false, false, false]);
  expect(keysUnder([])(Buffer.from('anything'))).toBe(true);
});

test('what two have in common is the longer of the two beginnings', () => {
  expect(commonPrefixes([], ['a:'])).toEqual(['a:']);
  expect(commonPrefixes(['a:', 'b:'], [])).toEqual(['a:', 'b:']);
  expect(commonPrefixes(['a:', 'b:'], ['a:x:', 'c:'])).toEqual(['a:x:']);
  expect(commonPrefixes(['a:', 'b:'], ['a:', 'b:'])).toEqual(['a:', 'b:']);
  expect(commonPrefixes(['a:'], ['b:'])).toBeUndefined();
});

test('a beginning with characters that mean something in a pattern means itself', () => {
  for (const prefix of ['a*', 'a?b', '[x]', 'a^-b', '\\', 'plain:']) {
    const pattern = new KeyPattern(patternUnder(prefix));
    const matches = (key: string) => pattern.matches(Buffer.from(key), 0, Buffer.byteLength(key));
    expect(matches(`${prefix}rest`), prefix).toBe(true);
    expect(matches(`x${prefix}`), prefix).toBe(false);
  }
  const star = new KeyPattern(patternUnder('a*'));
  expect(star.matches(Buffer.from('ab'), 0, 2)).toBe(false);
});
