import { expect, test } from 'vitest';
import { readProjectFile, sourceFiles } from './source.ts';

test('docs/errors.md lists every error code of the source, and no other', () => {
  const inSource = sourceFiles('src')
    .filter(({ name }) => !name.endsWith('.test.ts'))
    .flatMap(({ text }) => [...text.matchAll(/defineError\(\s*'([A-Z0-9_]+)'/g)].map((match) => match[1]));
  const documented = [...readProjectFile('docs/errors.md').matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(
    (m) => m[1],
  );
  expect(documented.toSorted()).toEqual(['INTERNAL', ...new Set(inSource)].toSorted());
});
