import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

let base = '';
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'hf-folder-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('folders above it are made too, with the mode; the topmost is said', async () => {
  const deep = path.join(base, 'a', 'b', 'c');
  expect(await makeFolder(deep, 0o700)).toBe(path.join(base, 'a'));
  for (const each of ['a', 'a/b', 'a/b/c']) expect(statSync(path.join(base, each)).mode & 0o777).toBe(0o700);
  expect(await makeFolder(deep)).toBeUndefined();
  expect(await makeFolder(path.join(deep, 'd'))).toBe(path.join(deep, 'd'));
  expect(await makeFolder('/')).toBeUndefined();
});

test('two at once are both content', async () => {
  const deep = path.join(base, 'a', 'b', 'c');
  await Promise.all([makeFolder(deep), makeFolder(deep), makeFolder(path.join(deep, 'd'))]);
  expect(existsSync(path.join(deep, 'd'))).toBe(true);
});

test('a file in the way is told', async () => {
  writeFileSync(path.join(base, 'file'), '');
  await expect(makeFolder(path.join(base, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(path.join(base, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.runIf(existsSync('/proc/self'))('where none can be made, that is told at once', async () => {
  await expect(makeFolder('/proc/holdfast/below')).rejects.toThrow(/ENOENT|EACCES|EPERM/);
});
