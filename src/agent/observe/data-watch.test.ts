import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DataWatch } from './data-watch.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-data-watch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => path.join(folder, name);

test('nothing is known before it looked, or once the process lives again; a change since the last look shows', async () => {
  const disk = new DataWatch({
    dataDir: folder,
    config: at('redis.conf'),
    persistence: at('persistence.json'),
  });
  expect(disk.seen).toBeNull();
  await disk.look();
  expect(disk.seen).toEqual({ hasData: false, writtenAtMs: 0 });
  expect(await disk.isUnchanged()).toBe(true);
  writeFileSync(at('dump.rdb'), 'no RDB, so it counts as data');
  expect(await disk.isUnchanged()).toBe(false);
  expect(disk.seen?.hasData).toBe(true);
  rmSync(at('dump.rdb'));
  expect(await disk.isUnchanged()).toBe(false);
  disk.forget();
  expect(disk.seen).toBeNull();
});
