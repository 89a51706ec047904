import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkStateDir } from './preflight.ts';

let base = '';
let root = '';
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'hf-preflight-'));
  root = path.join(base, 'state');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('a state directory is made, and taken again', async () => {
  await checkStateDir(root);
  await checkStateDir(root);
});

test('one that everyone can write is refused', async () => {
  mkdirSync(root);
  chmodSync(root, 0o777);
  await expect(checkStateDir(root)).rejects.toThrow(/everyone can write/);
});

test.skipIf(process.getuid?.() !== 0)('so is one of another user', async () => {
  mkdirSync(root);
  chownSync(root, 12_345, 0);
  await expect(checkStateDir(root)).rejects.toMatchObject({
    code: 'STATE_DIR_UNUSABLE',
    message: expect.stringContaining('belongs to another user (uid 12345)'),
  });
});
