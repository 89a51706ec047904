import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { longest } from '../support/longest-first.ts';
import { readProjectFile, sourceFiles } from './source.ts';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const pages = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md'],
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

test('a file that a page names is there', () => {
  const missing = pages.flatMap((page) =>
    [
      ...readProjectFile(page).matchAll(
        /`((?:src|test|docs|examples|scripts|bench|schema)\/[\w./-]+(?<!\.[ch]))`/g,
      ),
    ]
      .map(([, name = '']) => name)
      .filter((name) => !existsSync(path.join(root, name)))
      .map((name) => `${page}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test('a page that is linked to is there', () => {
  const missing = pages.flatMap((page) =>
    [...readProjectFile(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => path.join(path.dirname(page), target))
      .filter((target) => !existsSync(path.join(root, target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(missing).toEqual([]);
});

const tests = sourceFiles('test').map(({ text }) => text);

test('the table of CONTRIBUTING.md says how much the usual run and the whole one have of a series', () => {
  const called = tests.flatMap((text) => [...text.matchAll(/howMany\('(\w+)', (\w+), (\w+)\)/g)]);
  const inCode = called.map(([, name, ...counts]) => `${name}: ${counts.join(' and ').replaceAll('_', '')}`);
  const rows = readProjectFile('CONTRIBUTING.md').matchAll(/^\| (`HOLDFAST_.+`) \| .+ \| (.+) \| (.+) \|$/gm);
  const told = [...rows].flatMap(([, names = '', ...counts]) =>
    names
      .split(', ')
      .map((name, i) => `${name.slice(1, -1)}: ${counts.map((each) => each.split(', ')[i]).join(' and ')}`),
  );
  expect(told.toSorted()).toEqual([...new Set(inCode)].toSorted());
});

test('a variable that tests read is told of', () => {
  const read = tests.flatMap((text) => [...text.matchAll(/process\.env\['(HOLDFAST_\w+)'\]/g)]);
  const told = [...pages, 'scripts/fuzz/gate-clients.mjs'].map(readProjectFile).join();
  expect(read.map(([, name = '']) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(told))).toEqual(
    [],
  );
});

test('the files that begin first are there', () => {
  expect(longest.filter((name) => !existsSync(path.join(root, 'test', `${name}.test.ts`)))).toEqual([]);
});
