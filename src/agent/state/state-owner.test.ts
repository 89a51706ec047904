import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { statePaths } from './paths.ts';
import { checkStateOwner, claimState } from './state-owner.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'holdfast-owner-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a directory is of the deployment that was there first', async () => {
  const paths = statePaths(root);
  await checkStateOwner(paths, 'orders');
  await claimState(paths, 'orders');
  await claimState(paths, 'orders');
  await checkStateOwner(paths, 'orders');
  for (const claim of [checkStateOwner, claimState]) {
    await expect(claim(paths, 'other')).rejects.toMatchObject({
      code: 'STATE_OF_ANOTHER',
      message: `${root} holds the state of orders, not of other`,
    });
  }
});

test('what is read there is shown escaped', async () => {
  writeFileSync(path.join(root, 'deployment'), '\u001b[2Jevil');
  await expect(checkStateOwner(statePaths(root), 'x')).rejects.toThrow('\\u001b[2Jevil');
});
