/** Backups proved by restoring them into a real redis-server. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LibraryCheck } from '../../src/backup/library-check.ts';
import type { Manifest } from '../../src/backup/manifest.ts';
import { writeManifest } from '../../src/backup/manifest.ts';
import { openStore } from '../../src/backup/open-store.ts';
import { ScratchServer } from '../../src/backup/scratch-server.ts';
import type { BackupStore } from '../../src/backup/store.ts';
import { readVerified, type Verified } from '../../src/backup/verified.ts';
import { verifyBackup } from '../../src/backup/verify-backup.ts';
import { waitFor } from '../../src/base/retry.ts';
import { RdbVerifier } from '../../src/rdb/verify.ts';
import { take } from '../support/backups.ts';
import { lengthBytes, lengthPrefixed, makeRdb } from '../support/rdb-files.ts';
import { cleanUp, client, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';

const redisServer = '/usr/bin/redis-server';
let server: Server;
let folder: string;
let store: BackupStore;
let workFolder: string;

beforeAll(async () => {
  server = await startRedis();
  folder = tempFolder();
  workFolder = tempFolder();
  store = await openStore(pathToFileURL(folder).href);
  const redis = client(server.port);
  for (let i = 0; i < 300; i++) await redis.set(`k:${i}`, i);
  await redis.select(5);
  await redis.zadd('scores', 1, 'one', 2, 'two');
  await redis.function('LOAD', "#!lua name=lib\nredis.register_function('f', function() return 1 end)");
});
afterAll(cleanUp);

function verify(manifest: Manifest): Promise<Verified> {
  const options = { store, manifest, keys: {}, redisServer, workFolder, loadModules: [] };
  return verifyBackup({ ...options, report: () => {} });
}

test('a good one is good, also when its keys have expired since; the verdict lies beside it and nothing else is left', async () => {
  const redis = client(server.port);
  await redis.set('soon', 'gone', 'PX', 1500);
  const manifest = await take(server, store);
  await waitFor(async () => (await redis.exists('soon')) === 0, {
    what: 'the key to expire',
    withinMs: 60_000,
  });
  expect(await verify(manifest)).toMatchObject({ good: true, problems: [], keys: manifest.keys });
  expect((await readVerified(store)).verdicts.get(manifest.id)).toMatchObject({ good: true });
  expect(readdirSync(workFolder)).toEqual([]);
});

test('a bit that was flipped in the store is found', async () => {
  const manifest = await take(server, store);
  const file = path.join(folder, manifest.object);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = bytes[bytes.length >> 1]! ^ 4;
  writeFileSync(file, bytes);
  const { good, problems } = await verify(manifest);
  expect(good).toBe(false);
  expect(problems.join()).toMatch(/SHA-256/);
});

test('data that is whole and not what the manifest says is found', async () => {
  const manifest = await take(server, store);
  const [first, ...rest] = manifest.databases;
  const wrong = {
    ...manifest,
    functions: 2,
    dataDigest: 'd2:0',
    databases: [{ ...first!, keys: 7 }, ...rest],
  };
  await writeManifest(store, wrong);
  const { good, problems } = await verify(wrong);
  expect(good).toBe(false);
  expect(problems).toHaveLength(3);
  expect(problems[0]).toContain('database 0 has 300 keys');
});

test('a server that is too old says nothing about the backup', async () => {
  const manifest = { ...(await take(server, store)), rdbVersion: 12, serverVersion: 'redis 99.0.0' };
  await expect(verify(manifest)).rejects.toMatchObject({ code: 'BACKUP_NEEDS_NEWER_SERVER' });
});

test('a scratch server that can load nothing says why, and is gone', async () => {
  const scratch = new ScratchServer({ redisServer, workFolder, databases: 16, loadModules: [] });
  writeFileSync(scratch.file, 'REDIS0010 is not much of an RDB');
  try {
    await expect(scratch.start()).rejects.toMatchObject({ code: 'SCRATCH_LOAD_FAILED' });
  } finally {
    await scratch.stop();
  }
  expect(readdirSync(workFolder)).toEqual([]);
});

/** A backup of these bytes, whose manifest is true of them. */
async function stored(bytes: Buffer): Promise<Manifest> {
  const manifest = await take(server, store);
  const verifier = new RdbVerifier({ digest: true });
  verifier.push(bytes);
  const { keys, databases, functions, dataDigest = '', version } = verifier.finish();
  const sum = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  writeFileSync(path.join(folder, manifest.object), bytes);
  const about = { keys, databases, functions, dataDigest, rdbVersion: version };
  return { ...manifest, ...about, rdb: sum, stored: sum };
}

test('a library or a value that ends a server is named, though each byte of it is in order', async () => {
  const twice = Buffer.concat([lengthBytes(2), lengthPrefixed('a'), lengthPrefixed('a')]);
  const functions = [
    '#!lua name=x\nthis is not lua',
    "#!lua name=y\nredis.register_function('f', function() return 1 end)",
  ];
  const library = await verify(await stored(await makeRdb([{ key: 'k', value: 'v' }], { functions })));
  expect(library).toMatchObject({ good: false });
  expect(library.problems.join()).toMatch(/function: library x: no server takes it: .*compiling/);
  expect(library.problems.join()).not.toContain('library y');
  const value = await verify(await stored(await makeRdb([{ key: 'k', type: 2, value: twice }])));
  expect(value).toMatchObject({ good: false });
  expect(value.problems.join()).toContain("key 'k' of database 0: a member comes twice in it");
  expect(readdirSync(workFolder)).toEqual([]);
});

test('a module that the server lacks says nothing about the backup', async () => {
  const id = Buffer.alloc(9, 0x11);
  id[0] = 0x81;
  const value = Buffer.concat([id, Buffer.from([0])]);
  const manifest = await stored(await makeRdb([{ key: 'k', type: 7, value }]));
  await expect(verify(manifest)).rejects.toMatchObject({ code: 'BACKUP_NEEDS_MODULE' });
});

test('libraries are asked of a server in their order: one that has the name of another is refused', async () => {
  const libraries = new LibraryCheck({ redisServer, workFolder, databases: 16, loadModules: [] });
  try {
    const code = (name: string, body: string) => Buffer.from(`#!lua name=${name}\n${body}`);
    const registers = "redis.register_function('f', function() return 1 end)";
    expect(await libraries.ask(code('one', registers))).toBeUndefined();
    expect(await libraries.ask(code('two', registers))).toMatch(/already exists/);
    expect(await libraries.ask(code('three', 'while true do end'))).toMatch(/timeout/i);
    expect(await libraries.ask(code('four', registers.replace("'f'", "'g'")))).toBeUndefined();
  } finally {
    await libraries.stop();
  }
  expect(readdirSync(workFolder)).toEqual([]);
});
