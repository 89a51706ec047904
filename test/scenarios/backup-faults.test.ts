import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readSync, truncateSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listBackups, surveyStore } from '../../src/backup/list.ts';
import { openStore } from '../../src/backup/open-store.ts';
import type { BackupStore } from '../../src/backup/store.ts';
import { drain, objectNames, readBack, slowDown, startFilled, storeKinds, take } from '../support/backups.ts';
import { cleanUp, client, kill9, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { isWhole } from '../support/whole-run.ts';

let s3: S3Server;
let server: Server;
let identity: string;
let recipient: string;
beforeAll(async () => {
  s3 = await startS3();
  server = await startFilled(20);
  identity = await generateIdentity();
  recipient = await identityToRecipient(identity);
});
afterAll(async () => {
  await s3.close();
  await cleanUp();
});

/** Nothing is listed, nothing lies about, and the next backup succeeds. */
async function expectNothingLeft(store: BackupStore, next: Server = server): Promise<void> {
  expect(await surveyStore(store)).toEqual({ backups: [], broken: [], leftovers: [] });
  expect(await objectNames(store)).toEqual([]);
  expect(await store.sweep(Number.POSITIVE_INFINITY)).toBe(0);
  const manifest = await take(next, store);
  expect((await listBackups(store)).map(({ id }) => id)).toEqual([manifest.id]);
}

function flipBit(file: string, at: number): void {
  const handle = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(handle, byte, 0, 1, at);
  byte[0]! ^= 4;
  writeSync(handle, byte, 0, 1, at);
}

const packings = [
  ['with zstd, encrypted', 'zstd', true],
  ['as it is', 'none', false],
  ['with gzip', 'gzip', false],
  ['with zstd', 'zstd', false],
  ['encrypted', 'none', true],
] as const;

/** What is packed, and what the source does, is the same in a bucket, which takes longer. */
describe.each(storeKinds(() => s3))('in $name', ({ name, open }) => {
  const isUsual = name === 'a folder';
  const once = test.runIf(isUsual || isWhole);

  test.each(isUsual || isWhole ? packings : packings.slice(0, 1))(
    '%s: what comes back is what the manifest says, and a bit that flipped is found',
    async (_as, compression, encrypt) => {
      const { store, fileOf } = await open();
      const manifest = await take(server, store, { compression, recipients: encrypt ? [recipient] : [] });
      expect(manifest).toMatchObject({
        keys: 20_000,
        compression,
        databases: [{ db: 0, keys: 20_000, expiring: 0 }],
      });
      const keys = encrypt ? { identities: [identity] } : {};
      const { keys: count, dataDigest, bytes } = await readBack(store, manifest, keys);
      expect({ count, dataDigest, bytes }).toEqual({
        count: 20_000,
        dataDigest: manifest.dataDigest,
        bytes: manifest.rdb.bytes,
      });
      // Somewhere in the middle, and in the last bytes, which decompressors may not look at.
      for (const at of [Math.floor(manifest.stored.bytes / 2), manifest.stored.bytes - 1]) {
        flipBit(fileOf(manifest.object), at);
        await expect(drain(store, manifest, keys)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
        flipBit(fileOf(manifest.object), at);
      }
      truncateSync(fileOf(manifest.object), manifest.stored.bytes - 1);
      expect(await surveyStore(store)).toMatchObject({
        backups: [],
        broken: [{ id: manifest.id, why: expect.stringContaining(`should have ${manifest.stored.bytes}`) }],
      });
    },
  );

  once('encrypted for others, it says which key is missing', async () => {
    const { store } = await open();
    const manifest = await take(server, store, { recipients: [recipient] });
    await expect(readBack(store, manifest)).rejects.toMatchObject({ code: 'BACKUP_KEY_NEEDED' });
    const other = { identities: [await generateIdentity()] };
    await expect(readBack(store, manifest, other)).rejects.toMatchObject({ code: 'BACKUP_KEY_NEEDED' });
    const wrong = { identities: ['AGE-SECRET-KEY-1HUNTER2'] };
    await expect(readBack(store, manifest, wrong)).rejects.toMatchObject({
      code: 'BACKUP_KEY_NEEDED',
      message: expect.not.stringContaining('HUNTER2'),
    });
  });

  const ways = isUsual || isWhole ? ['yes', 'no'] : ['yes'];
  test.each(ways)('the source is killed while it sends (diskless %s)', async (diskless) => {
    const { store } = await open();
    const dying = await startFilled(20);
    await client(dying.port).config('SET', 'repl-diskless-sync', diskless);
    // Disk-based, the file is sent in one go when it is written; the last of it only when the pipe has room.
    if (diskless === 'yes') await slowDown(dying, 50);
    let isKilled = false;
    const taking = take(dying, store, {
      report: ({ rdbBytes }) => {
        if (isKilled || rdbBytes < 2 * 2 ** 20) return;
        isKilled = true;
        dying.process.kill('SIGKILL');
      },
    });
    await expect(taking).rejects.toMatchObject({
      code: 'BACKUP_SOURCE_FAILED',
      message: expect.stringMatching(/backup from redis-1 failed, nothing was stored: .*(closed|ECONNRESET)/),
    });
    await expectNothingLeft(store);
  });

  test('it is cancelled while it streams', async () => {
    const { store } = await open();
    const aborter = new AbortController();
    const taking = take(server, store, {
      signal: aborter.signal,
      report: ({ rdbBytes }) => {
        if (rdbBytes > 9 * 2 ** 20) aborter.abort();
      },
    });
    await expect(taking).rejects.toMatchObject({ code: 'BACKUP_CANCELLED' });
    await expectNothingLeft(store);
  });

  test('two at once: the second is refused with the name of the first, which succeeds', async () => {
    const { store } = await open();
    let second: Promise<unknown> | undefined;
    const first = await take(server, store, {
      holder: 'the agent of host a',
      report: () => {
        second ??= take(server, store).catch((error: unknown) => error);
      },
    });
    expect(await second).toMatchObject({
      code: 'BACKUP_BUSY',
      message: expect.stringContaining('the agent of host a, since'),
    });
    expect((await listBackups(store)).map(({ id }) => id)).toEqual([first.id]);
    // Right after, in the same second or not: it gets an id of its own.
    const third = await take(server, store);
    expect((await listBackups(store)).map(({ id }) => id)).toEqual([first.id, third.id]);
  });

  once('a lock whose holder is gone is free at once', async () => {
    const { store } = await open();
    let lock: Buffer | undefined;
    await take(server, store, {
      report: async () => {
        if (lock !== undefined) return;
        lock = Buffer.alloc(0);
        for await (const piece of store.read('holdfast.lock')) lock = Buffer.concat([lock, piece]);
      },
    });
    const text = JSON.parse((lock as unknown as Buffer).toString()) as { process: { pid: number } };
    const gone = spawnSync('true').pid;
    await store.put(
      'holdfast.lock',
      Buffer.from(JSON.stringify({ ...text, process: { ...text.process, pid: gone } })),
    );
    await take(server, store);
    expect(await listBackups(store)).toHaveLength(2);
  });

  once('a source that refuses: its own words are in the message', async () => {
    const { store } = await open();
    const locked = await startRedis(['--user', ...'weak on >y ~* -@all +ping'.split(' ')]);
    const source = { member: 'redis-1', address: '127.0.0.1', port: locked.port, role: 'replica' } as const;
    const rest = { serverVersion: '', expectedBytes: 0, tls: undefined };
    const credentials = { username: 'weak', password: 'y' };
    await expect(take(locked, store, { source: { ...source, ...rest, credentials } })).rejects.toMatchObject({
      code: 'BACKUP_SOURCE_FAILED',
      message: expect.stringContaining('NOPERM'),
      hint: expect.stringContaining('holdfast-backup'),
    });
    await expectNothingLeft(store);
    await kill9(locked.process);
  });
});

test('a disk that is full is said, and leaves nothing', async ({ skip }) => {
  const folder = tempFolder();
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', folder], {
    stdio: 'ignore',
  });
  // Only root may, and not in every container.
  if (status !== 0) skip('no file system can be mounted here');
  try {
    mkdirSync(`${folder}/store`);
    const store = await openStore(pathToFileURL(`${folder}/store`).href);
    await expect(take(server, store)).rejects.toMatchObject({
      code: 'BACKUP_STORE_FULL',
      message: expect.stringContaining(`${folder}/store/redis_`),
    });
    await expectNothingLeft(store, await startRedis());
  } finally {
    spawnSync('umount', [folder]);
  }
});
