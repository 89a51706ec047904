import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleManifest } from '../../scripts/fuzz-support/memory-store.mjs';
import { surveyStore } from '../../src/backup/list.ts';
import { openStore } from '../../src/backup/open-store.ts';
import { pruneBackups } from '../../src/backup/prune.ts';
import type { BackupStore } from '../../src/backup/store.ts';
import { cleanUp, tempFolder } from '../support/redis-processes.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(async () => {
  await s3.close();
  await cleanUp();
});

const stores: [string, () => Promise<BackupStore>][] = [
  ['a folder', async () => openStore(pathToFileURL(`${tempFolder()}/made/when missing`).href)],
  ['a bucket', () => s3.open(`p${randomBytes(4).toString('hex')}`)],
];

async function bytesOf(store: BackupStore, name: string, offset?: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of store.read(name, offset)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function names(store: BackupStore, prefix = ''): Promise<string[]> {
  return (await store.list(prefix)).map(({ name }) => name).toSorted();
}

describe.each(stores)('%s', (_name, open) => {
  const name = 'redis_2026-01-02T030405Z.rdb';

  test('an upload appears whole when it is committed, and not before', async () => {
    const store = await open();
    // More than two parts of S3, in pieces that do not fit into them.
    const bytes = randomBytes(19 * 2 ** 20 + 7);
    const upload = await store.upload(name);
    const piece = Buffer.alloc(1_000_003);
    for (let at = 0; at < bytes.length; at += piece.length) {
      const count = bytes.copy(piece, 0, at, at + piece.length);
      await upload.write(piece.subarray(0, count));
      // The buffer may be used again at once.
      piece.fill(0);
    }
    expect(await names(store)).toEqual([]);
    await upload.commit();
    await upload.abandon();
    expect(await store.list('redis_')).toMatchObject([{ name, bytes: bytes.length }]);
    expect((await bytesOf(store, name)).equals(bytes)).toBe(true);
    expect((await bytesOf(store, name, 9_000_001)).equals(bytes.subarray(9_000_001))).toBe(true);
    expect(await store.sweep(Number.POSITIVE_INFINITY)).toBe(0);
  });

  test.each([1000, 9 * 2 ** 20])('an upload of %i bytes that is abandoned leaves nothing', async (count) => {
    const store = await open();
    const upload = await store.upload(name);
    await upload.write(randomBytes(count));
    await upload.abandon();
    await upload.abandon();
    expect(await names(store)).toEqual([]);
    expect(await store.sweep(Number.POSITIVE_INFINITY)).toBe(0);
  });

  test('an upload is abandoned while a write is under way', async () => {
    const store = await open();
    const upload = await store.upload(name);
    const writing = upload.write(randomBytes(9 * 2 ** 20)).catch(() => {});
    await upload.abandon();
    await writing;
    expect(await names(store)).toEqual([]);
    expect(await store.sweep(Number.POSITIVE_INFINITY)).toBe(0);
  });

  test('an upload that nobody ended is swept, and only when it is old enough', async () => {
    const store = await open();
    const upload = await store.upload(name);
    await upload.write(randomBytes(9 * 2 ** 20));
    expect(await store.sweep(Date.now() - 3_600_000)).toBe(0);
    expect(await store.sweep(Number.POSITIVE_INFINITY)).toBe(1);
    expect(await names(store)).toEqual([]);
    await expect(upload.commit()).rejects.toThrow();
    await upload.abandon();
    expect(await names(store)).toEqual([]);
  });

  test('a small object is written whole, and with ifAbsent only when there is none', async () => {
    const store = await open();
    expect(await store.put('x.json', Buffer.from('one'), { ifAbsent: true })).toBe(true);
    expect(await store.put('x.json', Buffer.from('two'), { ifAbsent: true })).toBe(false);
    expect((await bytesOf(store, 'x.json')).toString()).toBe('one');
    expect(await store.put('x.json', Buffer.from('three'))).toBe(true);
    expect((await bytesOf(store, 'x.json')).toString()).toBe('three');
    expect(await names(store, 'x')).toEqual(['x.json']);
    expect(await names(store, 'y')).toEqual([]);
  });

  test('what is not there has an error of its own, and is removed without one', async () => {
    const store = await open();
    await expect(bytesOf(store, name)).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    await store.remove(name);
    await store.put('a', Buffer.from('a'));
    await store.remove('a');
    expect(await names(store)).toEqual([]);
  });
});

describe('a folder that others write into too', () => {
  test('no name leads out of it, and no link is followed', async () => {
    const root = tempFolder();
    const store = await openStore(pathToFileURL(`${root}/store`).href);
    await store.put('redis_2026-01-02T030405Z.json', Buffer.from('{}'));
    writeFileSync(`${root}/outside`, 'precious');
    symlinkSync(`${root}/outside`, `${root}/store/redis_2026-01-02T030405Z.rdb`);
    for (const name of ['../outside', '..', '', 'a/b', 'a\0b']) {
      await expect(store.remove(name)).rejects.toMatchObject({ code: 'BACKUP_STORE_FAILED' });
      await expect(bytesOf(store, name)).rejects.toMatchObject({ code: 'BACKUP_STORE_FAILED' });
    }
    expect(await store.list('')).toEqual([
      expect.objectContaining({ name: 'redis_2026-01-02T030405Z.json', bytes: 2 }),
      expect.objectContaining({
        name: 'redis_2026-01-02T030405Z.rdb',
        bytes: 0,
        unusable: expect.any(String),
      }),
    ]);
    await expect(bytesOf(store, 'redis_2026-01-02T030405Z.rdb')).rejects.toMatchObject({
      code: 'BACKUP_STORE_FAILED',
    });
    expect(readFileSync(`${root}/outside`, 'utf8')).toBe('precious');
  });

  test('a manifest that is a link, a pipe or a folder: its backup is named, and pruning leaves its data', async () => {
    const root = tempFolder();
    const store = await openStore(pathToFileURL(root).href);
    const days = ['01', '02', '03', '04'].map((day) => sampleManifest(`2026-01-${day}T00:00:00Z`));
    for (const { object } of days) writeFileSync(`${root}/${object}`, '1');
    const [whole, ...spoiled] = days.map(({ id }) => `${root}/${id}.json`) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(whole, JSON.stringify(days[0]));
    symlinkSync('elsewhere.json', spoiled[0]!);
    execFileSync('mkfifo', [spoiled[1]!]);
    mkdirSync(spoiled[2]!);
    const { backups, broken, leftovers } = await surveyStore(store);
    expect(backups.map(({ id }) => id)).toEqual([days[0]!.id]);
    expect(broken.map(({ why }) => why)).toEqual([
      expect.stringContaining('a symbolic link'),
      expect.stringContaining('a pipe'),
      expect.stringContaining('a folder'),
    ]);
    expect(leftovers).toEqual([]);
    const before = readdirSync(root);
    const keep = { hourly: 0, daily: 1, weekly: 0, monthly: 0, maxAgeMs: null };
    await pruneBackups({ store, deployment: 'test', keep, timezone: 'UTC', holder: 'a test' });
    expect(readdirSync(root)).toEqual(before);
    // Nobody writes into the pipe: to read it must not wait.
    await expect(bytesOf(store, `${days[2]!.id}.json`)).rejects.toThrow(/it is a pipe/);
  });
});
