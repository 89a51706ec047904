import { expect, test } from 'vitest';
import { directive, redisWord } from './redis-quote.ts';

test.each([
  ['plain-1.2:/x', 'plain-1.2:/x'],
  ['', '""'],
  ['two words', '"two words"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ["#$'", '"#$\'"'],
  ['é\n', '"\\xc3\\xa9\\x0a"'],
])('%j is written %s', (value, expected) => {
  expect(redisWord(value)).toBe(expected);
});

test('a directive is its name and one word a value', () => {
  expect(directive('sentinel', 'monitor', 'my name', 6379)).toBe('sentinel monitor "my name" 6379');
});
