import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServerVersion } from '../../process/programs.ts';
import { checkEngineReads } from './engine-reads.ts';

const old: ServerVersion = { product: 'Redis', version: '6.2.16', major: 6, minor: 2 };
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-engine-'));
  writeFileSync(path.join(folder, 'redis.conf'), 'appendonly yes\n');
  mkdirSync(path.join(folder, 'appendonlydir'));
  writeFileSync(path.join(folder, 'appendonlydir', 'appendonly.aof.manifest'), '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const check = (version: ServerVersion) =>
  checkEngineReads(
    [{ id: 'redis-1', paths: { dataDir: folder, config: path.join(folder, 'redis.conf') } }],
    version,
  );

test('Redis 6.2 is not started over an AOF of parts', async () => {
  await expect(check(old)).rejects.toThrow('Redis 6.2.16 does not read the AOF of redis-1');
});

test('a newer one is, Valkey too, and so is 6.2 over its own AOF or an RDB', async () => {
  await check({ ...old, version: '7.0.15', major: 7 });
  await check({ product: 'Valkey', version: '8.0.1', major: 8, minor: 0 });
  rmSync(path.join(folder, 'appendonlydir'), { recursive: true });
  await check(old);
  mkdirSync(path.join(folder, 'appendonlydir'));
  writeFileSync(path.join(folder, 'redis.conf'), 'appendonly no\nsave 60 1\n');
  await check(old);
});
