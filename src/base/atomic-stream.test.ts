/** Files appear whole, alone or together, and whatever fails leaves what was there before and nothing else. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commitTogether, createAtomicFile } from './atomic-stream.ts';

let folder = '';
const at = (name: string) => path.join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-atomic-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function written(name: string, text: string) {
  const file = await createAtomicFile(at(name));
  await file.write(Buffer.from(text));
  return file;
}

test('a name that a folder has is refused, and nothing is left', async () => {
  mkdirSync(at('taken'));
  const file = await written('taken', 'new');
  await expect(file.commit()).rejects.toThrow('is a folder');
  await file.abandon();
  expect(readdirSync(folder)).toEqual(['taken']);
});

test('several files get their names, and what was there before is gone', async () => {
  writeFileSync(at('a'), 'old');
  await commitTogether([await written('a', 'new a'), await written('b', 'new b')]);
  expect(readdirSync(folder).sort()).toEqual(['a', 'b']);
  expect(readFileSync(at('a'), 'utf8')).toBe('new a');
});

test('when one of several can not have its name, what was there before is there again', async () => {
  writeFileSync(at('a'), 'old');
  mkdirSync(at('c'));
  const files = [await written('a', 'new a'), await written('b', 'new b'), await written('c', 'new c')];
  await expect(commitTogether(files)).rejects.toThrow('is a folder');
  for (const file of files) await file.abandon();
  expect(readdirSync(folder).sort()).toEqual(['a', 'c']);
  expect(readFileSync(at('a'), 'utf8')).toBe('old');
});
