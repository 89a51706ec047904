import path from 'node:path';
import { expect, test } from 'vitest';
import { sourceFiles } from './source.ts';

/** docs/architecture.md explains these. A folder imports only from itself and from rows above its own. */
const layers = [
  ['base'],
  ['resp'],
  ['rdb'],
  ['spec'],
  ['render'],
  ['redis'],
  ['topology'],
  ['process'],
  ['gate'],
  ['backup', 'migrate', 'doctor', 'fleet'],
  ['agent'],
  ['testbed', 'report'],
  ['drill', 'bench'],
  ['cli'],
];

const rowOf = new Map(layers.flatMap((folders, row) => folders.map((folder) => [folder, row] as const)));

test('every folder of src has its place in the layers', () => {
  const folders = new Set(sourceFiles('src').map(({ name }) => name.split('/')[1]));
  expect([...folders].filter((folder) => !rowOf.has(folder ?? ''))).toEqual([]);
});

test('a folder imports only from the layers above it', () => {
  const wrong: string[] = [];
  for (const { name, text } of sourceFiles('src')) {
    const own = name.split('/')[1] ?? '';
    for (const [, target] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      const imported = path.posix.join(path.posix.dirname(name), target ?? '').split('/')[1] ?? '';
      if (imported === own || name.endsWith('.test.ts')) continue;
      if ((rowOf.get(imported) ?? 99) >= (rowOf.get(own) ?? -1)) wrong.push(`${name} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('the lowest layers open no sockets', () => {
  const pure = sourceFiles('src').filter(
    ({ name }) => /^src\/(resp|rdb|spec|render)\//.test(name) && !name.endsWith('.test.ts'),
  );
  const withSockets = pure.filter(({ text }) => /from 'node:(net|tls|http|https|dgram)'/.test(text));
  expect(withSockets.map(({ name }) => name)).toEqual([]);
});
