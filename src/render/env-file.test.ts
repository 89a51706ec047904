import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { envValue } from './env-file.ts';

test.each(['plain', 'a#b', 'a $b', 'a"b', 'a\\b', ' spaces ', '`x`', '${x}', 'a\\nb'])(
  'without a single quote, %j stands for itself',
  (value) => {
    expect(envValue(value)).toBe(`'${value}'`);
    // Node reads the same format.
    expect(parseEnv(`X=${envValue(value)}`)['X']).toBe(value);
  },
);

test.each([
  ["it's", `"it's"`],
  [`a'b"c\\d$e`, `"a'b\\"c\\\\d\\$e"`],
])('with a single quote, %j is in double quotes, escaped', (value, text) => {
  expect(envValue(value)).toBe(text);
});
