import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { directive, redisWord, redisWords } from './redis-quote.ts';

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

describe('words of a line', () => {
  test.each([
    ['save 900 1', ['save', '900', '1']],
    ['requirepass "a b"', ['requirepass', 'a b']],
    ["logfile 'a\\'b'", ['logfile', "a'b"]],
    ['x "\\xc3\\xa9\\n\\"\\\\"', ['x', 'é\n"\\']],
    ['save ""', ['save', '']],
    ['x "a', undefined],
    ['x "a"b', undefined],
  ])('%s', (line, words) => {
    expect(redisWords(line)).toEqual(words);
  });

  test('are what a directive was made of', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (values) => {
        expect(redisWords(directive('name', ...values))).toEqual(['name', ...values]);
      }),
    );
  });
});
