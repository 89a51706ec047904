import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkSocketFolder, makeSocketFolder } from './socket-folder.ts';

let base = '';
let folder = '';
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'hf-sockets-'));
  folder = path.join(base, 'sockets');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('the folder is made for its owner only, and found again', async () => {
  await makeSocketFolder(path.join(folder, 'a.sock'));
  await makeSocketFolder(path.join(folder, 'b.sock'));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('a folder that others can write is refused', async () => {
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  await expect(makeSocketFolder(path.join(folder, 'a.sock'))).rejects.toThrow(folder);
});

test('a link to somewhere else is refused', async () => {
  symlinkSync(base, folder);
  await expect(makeSocketFolder(path.join(folder, 'a.sock'))).rejects.toMatchObject({
    code: 'STATE_DIR_UNUSABLE',
  });
});

test('a command talks to nobody where others could listen', () => {
  const socket = path.join(folder, 'a.sock');
  checkSocketFolder(socket, base);
  mkdirSync(folder, { mode: 0o700 });
  checkSocketFolder(socket, base);
  chmodSync(folder, 0o777);
  expect(() => checkSocketFolder(socket, base)).toThrow('others can write it');
});

test.skipIf(process.getuid?.() !== 0)('nor in a folder of another user than the state directory', () => {
  const socket = path.join(folder, 'a.sock');
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, 12_345, 0);
  expect(() => checkSocketFolder(socket, base)).toThrow('belongs to another user');
  chownSync(base, 12_345, 0);
  checkSocketFolder(socket, base);
});
