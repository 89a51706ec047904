import { expect, test } from 'vitest';
import { enough } from './enough.ts';

const never = new Promise<boolean>(() => {});
const [yes, no, fails] = [Promise.resolve(true), Promise.resolve(false), Promise.reject(new Error('x'))];
fails.catch(() => {});

test.each([
  ['two of two', [yes, yes], 2, true],
  ['two, and one that says nothing', [yes, never, yes], 2, true],
  ['too few can any more', [yes, no, never, fails], 3, false],
  ['nobody is needed', [], 0, true],
  ['there are too few', [yes], 2, false],
] as const)('%s', async (_what, holding, needed, is) => {
  expect(await enough(holding, needed)).toBe(is);
});
