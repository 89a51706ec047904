import { expect, test } from 'vitest';
import { MemoryStore, sampleManifest } from '../../scripts/fuzz-support/memory-store.mjs';
import { surveyStore } from './list.ts';
import { readManifest, writeManifest } from './manifest.ts';
import { backupId, objectName, parseName } from './naming.ts';
import { pruneBackups } from './prune.ts';
import { readVerified } from './verified.ts';

const one = sampleManifest('2026-01-01T00:00:00Z');
const two = sampleManifest('2026-01-02T00:00:00Z');

async function storeWith(...manifests: (typeof one)[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const manifest of manifests) {
    store.objects.set(manifest.object, Buffer.alloc(1));
    await writeManifest(store, manifest);
  }
  return store;
}

test('names say when and how, and others’ files are none of ours', () => {
  const id = backupId(Date.parse('2022-01-27T20:00:00.999Z'));
  expect(id).toBe('redis_2022-01-27T200000Z');
  expect(objectName(id, { compression: 'zstd', encryption: 'age' })).toBe(`${id}.rdb.zst.age`);
  expect(parseName(`${id}.rdb.gz`)).toEqual({ id, is: 'data' });
  expect(parseName(`${id}.json`)).toEqual({ id, is: 'manifest' });
  for (const name of ['redis_2022-01-27.rdb', `${id}.rdb.bak`, 'holdfast.lock', `x${id}.rdb`]) {
    expect(parseName(name)).toBeUndefined();
  }
});

test('oldest first; what is not whole is not listed, and said', async () => {
  const three = sampleManifest('2026-01-03T00:00:00Z');
  const four = sampleManifest('2026-01-04T00:00:00Z');
  const store = await storeWith(two, one, three, four);
  store.objects.set('redis_2022-01-27.rdb', Buffer.from('an old script’s'));
  store.objects.delete(three.object);
  store.objects.set(`${four.id}.json`, Buffer.from('{ "version": 1'));
  store.objects.set('redis_2026-01-05T000000Z.rdb', Buffer.alloc(9));
  expect(await surveyStore(store)).toEqual({
    backups: [one, two],
    broken: [
      { id: three.id, why: `its data, ${three.object}, is not there` },
      { id: four.id, why: expect.stringContaining('is not JSON') },
    ],
    leftovers: [{ name: 'redis_2026-01-05T000000Z.rdb', bytes: 9, modifiedMs: 0 }],
  });
});

test('a manifest is read back as it was written; another format is refused with the key', async () => {
  const store = await storeWith(one);
  expect(await readManifest(store, one.id)).toEqual(one);
  await expect(readManifest(store, two.id)).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
  for (const [change, words] of [
    [{ version: 2 }, 'version'],
    [{ rdb: { bytes: 1, sha256: 'x' } }, 'rdb.sha256'],
    [{ object: '../../etc/passwd' }, 'object'],
    [{ startedAt: '2026-01-01T00:00:01Z' }, 'started at 2026-01-01T00:00:01Z, and its id says otherwise'],
    [
      { databases: [...one.databases, { db: 1, keys: 1, expiring: 0 }, ...one.databases] },
      'database 0 twice',
    ],
  ] as const) {
    store.objects.set(`${one.id}.json`, Buffer.from(JSON.stringify({ ...one, ...change })));
    await expect(readManifest(store, one.id)).rejects.toMatchObject({
      code: 'BACKUP_MANIFEST_UNREADABLE',
      message: expect.stringContaining(words),
    });
  }
});

test('pruning touches neither another deployment’s backups nor broken ones', async () => {
  const other = sampleManifest('2025-01-01T00:00:00Z', 'other');
  const store = await storeWith(other, one, two);
  const bad = sampleManifest('2025-06-01T00:00:00Z');
  await writeManifest(store, bad);
  const keep = { hourly: 0, daily: 1, weekly: 0, monthly: 0, maxAgeMs: null };
  const options = { store, deployment: 'test', keep, timezone: 'UTC', holder: 'test' };
  const plan = await pruneBackups({ ...options, dryRun: true });
  expect(store.objects.size).toBe(7);
  const result = await pruneBackups(options);
  expect(result).toEqual(plan);
  expect(result.remove.map(({ backup }) => backup.id)).toEqual([one.id]);
  expect([...store.objects.keys()].toSorted()).toEqual(
    [`${bad.id}.json`, `${other.id}.json`, other.object, `${two.id}.json`, two.object].toSorted(),
  );
});

const inside = sampleManifest('2026-01-06T00:00:00Z');
const hostile: [string, object][] = [
  ['an object outside the store', { object: '../../etc/passwd' }],
  ['an object that is no backup’s', { object: 'holdfast.lock' }],
  ['the data of another backup', { object: one.object }],
  ['its data in another packing', { object: `${inside.id}.rdb.zst` }],
  ['the id of another backup', { id: one.id, object: one.object }],
  ['an id that leads outside', { id: '../x', object: '../x.rdb' }],
  ['a database that would need gigabytes', { databases: [{ db: 2 ** 31 - 1, keys: 1, expiring: 0 }] }],
  ['3 MB that become 3 GB', { stored: { ...inside.stored, bytes: 3e6 }, rdb: { ...inside.rdb, bytes: 3e9 } }],
];

test.each(hostile)(
  'a manifest with %s is broken, and pruning touches neither it nor others',
  async (_what, change) => {
    const store = await storeWith(one, two);
    store.objects.set(inside.object, Buffer.alloc(1));
    store.objects.set(`${inside.id}.json`, Buffer.from(JSON.stringify({ ...inside, ...change })));
    const before = [...store.objects.keys()];
    const removed: string[] = [];
    store.remove = async (name) => void removed.push(name);
    const { broken } = await surveyStore(store);
    expect(broken.map(({ id }) => id)).toEqual([inside.id]);
    await expect(readManifest(store, inside.id)).rejects.toMatchObject({
      code: 'BACKUP_MANIFEST_UNREADABLE',
    });
    const keep = { hourly: 0, daily: 2, weekly: 0, monthly: 0, maxAgeMs: null };
    await pruneBackups({ store, deployment: 'test', keep, timezone: 'UTC', holder: 'a test' });
    expect(removed.filter((name) => name !== 'holdfast.lock')).toEqual([]);
    expect([...store.objects.keys()].filter((name) => name !== 'holdfast.lock')).toEqual(before);
  },
);

/** A store in which some objects can't be had, each with what the store says of it. */
class SpoiledStore extends MemoryStore {
  readonly unusable = new Map<string, string>();
  readonly failing = new Map<string, Error>();

  override async list(prefix: string) {
    const others = [...this.unusable].filter(([name]) => name.startsWith(prefix));
    return [
      ...(await super.list(prefix)).filter(({ name }) => !this.unusable.has(name)),
      ...others.map(([name, unusable]) => ({ name, bytes: 0, modifiedMs: 0, unusable })),
    ];
  }

  override async *read(name: string, offset?: number) {
    const error = this.failing.get(name);
    if (error !== undefined) throw error;
    yield* super.read(name, offset);
  }
}

async function spoiledStore(): Promise<SpoiledStore> {
  const store = new SpoiledStore();
  for (const manifest of [one, two]) {
    store.objects.set(manifest.object, Buffer.alloc(1));
    await writeManifest(store, manifest);
  }
  return store;
}

const keepOne = { hourly: 0, daily: 1, weekly: 0, monthly: 0, maxAgeMs: null };
const denied = Object.assign(new Error('permission denied'), { code: 'BACKUP_STORE_DENIED' });

test.each<[string, (store: SpoiledStore) => void, RegExp]>([
  [
    'is a link',
    (store) => store.unusable.set(`${two.id}.json`, 'a symbolic link'),
    /manifest.*a symbolic link/,
  ],
  ['can’t be read', (store) => store.failing.set(`${two.id}.json`, denied), /permission denied/],
  ['is cut off', (store) => store.objects.set(`${two.id}.json`, Buffer.from('{"id"')), /is not JSON/],
  ['is empty', (store) => store.objects.set(`${two.id}.json`, Buffer.alloc(0)), /is not JSON/],
])('a backup whose manifest %s is named, and pruning leaves its data alone', async (_what, spoil, why) => {
  const store = await spoiledStore();
  spoil(store);
  expect(await surveyStore(store)).toEqual({
    backups: [one],
    broken: [{ id: two.id, why: expect.stringMatching(why) }],
    leftovers: [],
  });
  const options = { store, deployment: 'test', keep: keepOne, timezone: 'UTC', holder: 'a test' };
  expect(await pruneBackups(options)).toMatchObject({ remove: [], leftovers: [], broken: [{ id: two.id }] });
  expect(store.removed).toEqual(['holdfast.lock']);
});

test('data that is a link or a folder is named, and never removed', async () => {
  const store = await spoiledStore();
  store.unusable.set(two.object, 'a folder');
  store.unusable.set('redis_2026-01-05T000000Z.rdb.zst', 'a symbolic link');
  expect((await surveyStore(store)).broken).toEqual([
    { id: two.id, why: `its data, ${two.object}, is a folder` },
    { id: 'redis_2026-01-05T000000Z', why: expect.stringContaining('a symbolic link') },
  ]);
  await pruneBackups({ store, deployment: 'test', keep: keepOne, timezone: 'UTC', holder: 'a test' });
  expect(store.removed).toEqual(['holdfast.lock']);
});

test('a store that answers nothing any more has no broken backups: nothing is known of any', async () => {
  const store = await spoiledStore();
  store.read = async function* () {
    store.list = async () => {
      throw new Error('the store is gone');
    };
    yield* [] as Buffer[];
    throw new Error('the connection broke');
  };
  await expect(surveyStore(store)).rejects.toThrow('the store is gone');
});

test('a verdict that can’t be read is named, and its backup stays', async () => {
  const store = await spoiledStore();
  const names = [one, two].map(({ id }) => `${id}.verified.json`);
  store.objects.set(names[0]!, Buffer.from('{'));
  store.unusable.set(names[1]!, 'a pipe');
  expect(await readVerified(store)).toEqual({
    verdicts: new Map(),
    unreadable: [
      { id: one.id, why: expect.stringContaining(names[0]!) },
      { id: two.id, why: expect.stringContaining('it is a pipe') },
    ],
  });
  const options = { store, deployment: 'test', keep: keepOne, timezone: 'UTC', holder: 'a test' };
  expect((await pruneBackups(options)).remove).toEqual([]);
});

test('an id that is none is looked for nowhere', async () => {
  const store = await storeWith(one);
  store.read = () => {
    throw new Error('nothing is to be read');
  };
  await expect(readManifest(store, '../../etc/shadow')).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
});
