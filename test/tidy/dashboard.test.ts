import { expect, test } from 'vitest';
import { sourceFiles } from './source.ts';

const sources = sourceFiles('dashboard/src');

/** The one thing of src/ that the page runs: what is fit to be shown is decided in one place. */
const shared = "import { shown } from '../../../src/base/shown.ts';";

test('the page takes types from src/, and nothing that runs but the rule of what is fit to be shown', () => {
  const found = sources.flatMap(({ name, text }) =>
    [...text.matchAll(/^import .*src\/.*$/gm)]
      .map(([line]) => line)
      .filter((line) => line.includes('/src/') && !line.startsWith('import type') && line !== shared)
      .map((line) => `${name}: ${line}`),
  );
  expect(found).toEqual([]);
});

test('answers are parsed where they are made fit to be shown, and nowhere else', () => {
  const parsing = sources.filter(
    ({ name, text }) => !name.endsWith('.test.ts') && /\.json\(\)|JSON\.parse\(/.test(text),
  );
  expect(parsing.map(({ name }) => name)).toEqual(['dashboard/src/data/parse-shown.ts']);
});

test('no markup is made of text', () => {
  const making = sources.filter(({ text }) =>
    /innerHTML|dangerouslySetInnerHTML|insertAdjacentHTML/.test(text),
  );
  expect(making.map(({ name }) => name)).toEqual([]);
});
