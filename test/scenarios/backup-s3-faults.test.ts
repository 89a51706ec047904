import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { listBackups, surveyStore } from '../../src/backup/list.ts';
import { pruneBackups } from '../../src/backup/prune.ts';
import type { BackupStore } from '../../src/backup/store.ts';
import { readBack, startFilled, take } from '../support/backups.ts';
import type { Fault } from '../support/fault-proxy.ts';
import { cleanUp, type Server } from '../support/redis-processes.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

/** More parts than are under way at a time. */
const partBytes = 2 ** 20;
const megabytes = 8;

let s3: S3Server;
let server: Server;
let store: BackupStore;
let prefixes = 0;
beforeAll(async () => {
  s3 = await startS3();
  server = await startFilled(megabytes);
});
afterAll(async () => {
  await s3.close();
  await cleanUp();
});
afterEach(() => {
  s3.proxy.rule = () => undefined;
});

const isPart = (url: string) => url.includes('partNumber=');

/** Breaks requests that match, the first so many of them; returns how many it broke. */
function breakRequests(
  matches: (method: string, url: string) => boolean,
  fault: Fault,
  times: number,
): () => number {
  let broken = 0;
  s3.proxy.rule = ({ method, url }) => {
    if (broken >= times || !matches(method, url)) return undefined;
    broken++;
    return fault;
  };
  return () => broken;
}

async function freshStore(): Promise<void> {
  store = await s3.open(`faults-${prefixes++}`, { partBytes });
}

async function expectWholeNext(): Promise<void> {
  s3.proxy.rule = () => undefined;
  expect(await surveyStore(store)).toEqual({ backups: [], broken: [], leftovers: [] });
  const manifest = await take(server, store);
  expect((await listBackups(store)).map(({ id }) => id)).toEqual([manifest.id]);
  expect(await store.sweep(Number.POSITIVE_INFINITY)).toBe(0);
}

test.each<[string, Fault]>([
  ['500', { status: 500 }],
  ['503, slow down', { status: 503, code: 'SlowDown' }],
  ['a connection that breaks in the middle of a part', { cutRequestAfter: 500_000 }],
])('what passes by itself costs no backup: %s', async (_name, fault) => {
  await freshStore();
  const broken = breakRequests((_method, url) => isPart(url), fault, 3);
  const manifest = await take(server, store);
  expect(broken()).toBe(3);
  expect(await readBack(store, manifest)).toMatchObject({ keys: megabytes * 1000 });
});

test.each<[string, Fault, string, RegExp]>([
  [
    '500 for every part',
    { status: 500 },
    'BACKUP_STORE_FAILED',
    /cannot write s3:\/\/bucket\/faults-\d+\/redis_.* \(500 /,
  ],
  ['403', { status: 403, code: 'AccessDenied' }, 'BACKUP_STORE_DENIED', /\(403 AccessDenied\)/],
  ['every upload truncated', { cutRequestAfter: 500_000 }, 'BACKUP_STORE_FAILED', /cannot write/],
  [
    'an ETag that is not that of what was sent',
    { etag: '"0123456789abcdef0123456789abcdef"' },
    'BACKUP_STORE_FAILED',
    /does not have what was sent .* its ETag for part \d is 0123456789abcdef0123456789abcdef/,
  ],
])('%s: nothing is listed, nothing is left, the next one succeeds', async (_name, fault, code, message) => {
  await freshStore();
  breakRequests((_method, url) => isPart(url), fault, Number.POSITIVE_INFINITY);
  await expect(take(server, store)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/./),
  });
  await expectWholeNext();
});

test('a store that fails at the end: neither the data nor the manifest stays', async () => {
  for (const matches of [
    (method: string, url: string) => method === 'POST' && url.includes('uploadId='),
    (method: string, url: string) => method === 'HEAD' && url.includes('.rdb'),
    (method: string, url: string) => method === 'PUT' && url.includes('.json'),
  ]) {
    await freshStore();
    breakRequests(matches, { status: 500 }, Number.POSITIVE_INFINITY);
    await expect(take(server, store)).rejects.toMatchObject({ code: 'BACKUP_STORE_FAILED' });
    await expectWholeNext();
  }
});

test('a store that is gone for good in the middle: what is left is swept by the next backup', async () => {
  await freshStore();
  let parts = 0;
  s3.proxy.rule = ({ url }) => {
    if (isPart(url)) parts++;
    return parts > 2 ? { status: 500 } : undefined;
  };
  await expect(take(server, store)).rejects.toMatchObject({ code: 'BACKUP_STORE_FAILED' });
  s3.proxy.rule = () => undefined;
  expect(await listBackups(store)).toEqual([]);
  const notes: string[] = [];
  // The lock could not be given back either, but its holder is this very process, which no longer uses it.
  await store.remove('holdfast.lock');
  await take(server, store, { note: (text) => notes.push(text) });
  expect(notes).toEqual(['removed 1 unfinished uploads of backups that were interrupted']);
  expect(await listBackups(store)).toHaveLength(1);
});

test('a slow store: the source waits, and no more is held than what is under way', async () => {
  await freshStore();
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  const maxAhead = 5 * partBytes + 2 ** 20;
  let rdbBytes = 0;
  let isFull: () => void = () => {};
  const full = new Promise<void>((resolve) => {
    isFull = resolve;
  });
  let waiting = 0;
  s3.proxy.rule = ({ url }) => {
    if (!isPart(url)) return undefined;
    // Four parts are under way: the fifth buffer fills, and then nothing more is taken.
    if (++waiting === 4) isFull();
    return { until };
  };
  const taking = take(server, store, {
    report: (progress) => {
      rdbBytes = progress.rdbBytes;
    },
  });
  await full;
  const before = rdbBytes;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(before).toBeLessThanOrEqual(maxAhead);
  expect(rdbBytes).toBeLessThanOrEqual(maxAhead);
  release();
  const manifest = await taking;
  expect(manifest.rdb.bytes).toBeGreaterThan(maxAhead);
});

test('a manifest that the store refuses, cuts off, or has as a folder: named, and pruning leaves the data', async () => {
  await freshStore();
  const manifest = await take(server, store);
  const name = `${manifest.id}.json`;
  const look = async () => {
    const { backups, broken, leftovers } = await surveyStore(store);
    expect({ backups, leftovers }).toEqual({ backups: [], leftovers: [] });
    return broken;
  };
  const isManifest = (method: string, url: string) => method === 'GET' && url.includes(name);
  for (const [fault, why] of [
    [{ status: 403, code: 'AccessDenied' }, '403 AccessDenied'],
    [{ cutResponseAfter: 0 }, name],
  ] as const) {
    breakRequests(isManifest, fault, Number.POSITIVE_INFINITY);
    expect(await look()).toEqual([{ id: manifest.id, why: expect.stringContaining(why) }]);
  }
  s3.proxy.rule = () => undefined;
  await store.remove(name);
  await store.put(`${name}/x`, Buffer.from('{}'));
  expect(await look()).toEqual([{ id: manifest.id, why: expect.stringContaining('a folder') }]);
  const keep = { hourly: 0, daily: 1, weekly: 0, monthly: 0, maxAgeMs: null };
  await pruneBackups({ store, deployment: 'test', keep, timezone: 'UTC', holder: 'a test' });
  expect((await store.list(manifest.object)).map(({ bytes }) => bytes)).toEqual([manifest.stored.bytes]);
});

test('reading goes on where the connection broke', async () => {
  await freshStore();
  const manifest = await take(server, store);
  const broken = breakRequests(
    (method, url) => method === 'GET' && url.includes('.rdb'),
    { cutResponseAfter: 1_000_000 },
    5,
  );
  expect(await readBack(store, manifest)).toMatchObject({ dataDigest: manifest.dataDigest });
  expect(broken()).toBe(5);
  breakRequests(
    (method, url) => method === 'GET' && url.includes('.rdb'),
    { cutResponseAfter: 0 },
    Number.POSITIVE_INFINITY,
  );
  await expect(readBack(store, manifest)).rejects.toMatchObject({ code: 'BACKUP_STORE_FAILED' });
});
