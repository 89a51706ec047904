import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { HeldBack } from './held-back.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-held-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the next agent knows that the 0 is an agent’s, until it is put back', async () => {
  const file = path.join(folder, 'held-back');
  const first = new HeldBack(file);
  expect(first.ours).toBe(false);
  await first.claim();
  expect(first.ours).toBe(true);
  const next = new HeldBack(file);
  expect(next.ours).toBe(true);
  await next.release();
  expect(next.ours).toBe(false);
  expect(existsSync(file)).toBe(false);
  expect(new HeldBack(file).ours).toBe(false);
});
