import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readProjectFile } from './source.ts';

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
