import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { manifestName } from '../backup/naming.ts';
import { parseSpec } from '../spec/parse.ts';
import { lookIntoStore } from './doctor-backups.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const look = (to: string) => lookIntoStore(parseSpec(`name: x\nbackup: { to: "file://${to}" }`, 'x'));

test('a spec without backups has nothing to look into; an empty store has no backup', async () => {
  expect(await lookIntoStore(parseSpec('name: x', 'x'))).toBeNull();
  expect(await look(folder)).toEqual({ newestAtMs: null, broken: [], error: '' });
});

test('a backup whose manifest is spoiled is named', async () => {
  writeFileSync(path.join(folder, manifestName('redis_2026-01-27T200000Z')), '{');
  const found = await look(folder);
  expect(found).toMatchObject({ newestAtMs: null, error: '' });
  expect(found?.broken).toHaveLength(1);
  expect(found?.broken[0]).toContain('redis_2026-01-27T200000Z: ');
});

test('a store that can’t be read is an error, not an empty one', async () => {
  mkdirSync(path.join(folder, 'sub'));
  const file = path.join(folder, 'sub', 'store');
  writeFileSync(file, '');
  expect((await look(file))?.error).not.toBe('');
});
