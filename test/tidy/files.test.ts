import path from 'node:path';
import { expect, test } from 'vitest';
import { sourceFiles } from './source.ts';

const files = ['src', 'test', 'dashboard/src'].flatMap(sourceFiles);
const names = (found: { name: string }[]) => found.map(({ name }) => name);

test('no file is longer than 400 lines', () => {
  expect(names(files.filter(({ text }) => text.split('\n').length > 401))).toEqual([]);
});

test('file names are in kebab-case', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.tsx?$/;
  expect(names(files.filter(({ name }) => !kebab.test(path.basename(name))))).toEqual([]);
});

test('exports are named, and no file only passes on the exports of others', () => {
  expect(names(files.filter(({ text }) => /^export default /m.test(text)))).toEqual([]);
  expect(names(files.filter(({ name }) => path.basename(name) === 'index.ts'))).toEqual([]);
});

test('nothing is typed any, and no rule is switched off without a reason', () => {
  expect(names(files.filter(({ text }) => /(:\s?|\bas |<)any\b[^a-z ]/.test(text)))).toEqual([]);
  const bare = /biome-ignore [^:]+:\s*$|@ts-(ignore|expect-error)\s*$/m;
  expect(names(files.filter(({ text }) => bare.test(text)))).toEqual([]);
});

test('tests wait on conditions, they do not sleep', () => {
  const sleeping = files.filter(
    ({ name, text }) => name.endsWith('.test.ts') && /await (delay|sleep)\(\d/.test(text),
  );
  expect(names(sleeping)).toEqual([]);
});

test('folders are made one by one, by makeFolder: Node goes round for ever where the system refuses oddly', () => {
  const own = files.filter(
    ({ name, text }) => /^src\/.*(?<!\.test)\.ts$/.test(name) && /\bmkdir\b.*'node:fs\/promises'/.test(text),
  );
  expect(names(own)).toEqual(['src/base/make-folder.ts']);
});

test('signals are listened to by onAbort, which gives what ends it: otherwise a listener stays for each time', () => {
  const own = files.filter(
    ({ name, text }) => /^src\/.*(?<!\.test)\.ts$/.test(name) && /\.addEventListener\(\s*'abort'/.test(text),
  );
  expect(names(own)).toEqual(['src/base/abort.ts']);
});

test('what comes from outside is looked up where only what was put there is found', () => {
  // { a: 1 }['constructor'] is a function: a table is a Map, or the file asks Object.hasOwn.
  const table = /^(export )?const \w+: (Readonly<)?Record<string,/m;
  const careless = files.filter(
    ({ name, text }) =>
      /^src\/.*(?<!\.test)\.ts$/.test(name) && table.test(text) && !text.includes('Object.hasOwn'),
  );
  expect(names(careless)).toEqual([]);
});
