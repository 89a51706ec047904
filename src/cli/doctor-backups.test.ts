import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sampleManifest } from '../../scripts/fuzz-support/memory-store.mjs';
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
  expect(await look(folder)).toEqual({ newestAtMs: null, ahead: [], broken: [], error: '' });
});

test('a backup whose manifest is spoiled is named', async () => {
  writeFileSync(path.join(folder, manifestName('redis_2026-01-27T200000Z')), '{');
  const found = await look(folder);
  expect(found).toMatchObject({ newestAtMs: null, error: '' });
  expect(found?.broken).toHaveLength(1);
  expect(found?.broken[0]).toContain('redis_2026-01-27T200000Z: ');
});

test('one that is dated ahead is not the newest, and is named; another deployment’s is nobody’s', async () => {
  const at = (text: string, deployment: string) => {
    const manifest = sampleManifest(text, deployment);
    writeFileSync(path.join(folder, manifestName(manifest.id)), JSON.stringify(manifest));
    writeFileSync(path.join(folder, manifest.object), '1');
  };
  at('2026-01-02T00:00:00Z', 'x');
  at('2026-01-03T00:00:00Z', 'other');
  at('2999-01-01T00:00:00Z', 'x');
  expect(await look(folder)).toMatchObject({
    newestAtMs: Date.parse('2026-01-02T00:00:00Z'),
    ahead: [expect.stringMatching(/^redis_2999-01-01T000000Z is dated .* ahead of this machine's clock$/)],
  });
});

test('a store that can’t be read is an error, not an empty one', async () => {
  mkdirSync(path.join(folder, 'sub'));
  const file = path.join(folder, 'sub', 'store');
  writeFileSync(file, '');
  expect((await look(file))?.error).not.toBe('');
});
