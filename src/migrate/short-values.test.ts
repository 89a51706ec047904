import { expect, test } from 'vitest';
import { ShortValues } from './short-values.ts';

test('short values are expected behind ten thousand in a row, until there is a long one', () => {
  const values = new ShortValues();
  for (let n = 0; n < 9999; n++) values.saw(100);
  expect(values.areExpected).toBe(false);
  values.saw(100);
  expect(values.areExpected).toBe(true);
  values.saw(100_000);
  expect(values.areExpected).toBe(false);
  for (let n = 0; n < 10_000; n++) values.saw(8192);
  expect(values.areExpected).toBe(true);
  values.forget();
  expect(values.areExpected).toBe(false);
});
