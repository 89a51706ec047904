/** What goes from any server's form to any other's is the same afterwards, or every difference is told. */
import { beforeAll, describe, expect, test } from 'vitest';
import { inPieces, lengthPrefixed, makeRdb, memorySink, rdbFixture } from '../../test/support/rdb-files.ts';
import { releaseHas } from './abilities.ts';
import type { Unloadable } from './copy.ts';
import { RdbEntry, type RdbItem, readItems } from './entries.ts';
import { filterInto } from './filter.ts';
import { Scanner } from './scanner.ts';
import { can, serverNames, type Target, targetOfServer, targetOfVersionText } from './target.ts';
import type { RdbValue } from './value.ts';
import { RdbWriter } from './writer.ts';

async function rewrite(bytes: Buffer, target: Target): Promise<{ bytes: Buffer; told: Unloadable[] }> {
  const { sink, bytes: written } = memorySink();
  const writer = new RdbWriter(sink, target.flavor, target.version);
  const told: Unloadable[] = [];
  const handler = filterInto(writer, {
    ...{ test: () => true, target, inputAux: {}, nowMs: 0, onUnloadable: (each) => told.push(each) },
  });
  const scanner = new Scanner(handler);
  for (const piece of inPieces(bytes, 4096)) scanner.push(piece);
  scanner.finish();
  writer.finish();
  return { bytes: await written(), told };
}

async function itemsOf(bytes: Buffer): Promise<RdbItem[]> {
  const items: RdbItem[] = [];
  for await (const item of readItems(inPieces(bytes, 4096))) items.push(item);
  return items;
}

/** What older forms do not say of a stream is what follows from its entries. */
function whole(value: RdbValue): unknown {
  if (value.kind !== 'stream') return value;
  const { info } = value;
  return {
    ...value,
    info: {
      ...info,
      firstId: info.firstId ?? value.entries[0]?.id ?? '0-0',
      maxDeletedId: info.maxDeletedId ?? '0-0',
      entriesAdded: info.entriesAdded ?? info.length,
    },
    groups: value.groups.map((group) => ({ ...group, entriesRead: group.entriesRead ?? -1n })),
    idempotence: value.idempotence ?? {
      ...{ seconds: 100n, maxIds: 100n, producers: [], added: 0n, duplicates: 0n },
    },
  };
}

/** Everything a file holds, by key; functions by themselves. */
async function contentOf(bytes: Buffer): Promise<Map<string, unknown>> {
  const content = new Map<string, unknown>();
  for (const item of await itemsOf(bytes)) {
    if (item.is === 'function') content.set('function', item.code);
    if (!(item instanceof RdbEntry)) continue;
    const { db, key, expireMs, idle, freq, kind, body } = item;
    const value = kind === 'module' ? body : whole(item.value());
    content.set(`${db} ${key.toString('latin1')}`, { expireMs, idle, freq, value });
  }
  return content;
}

function nameOf({ what, db, key }: Unloadable): string {
  return key === undefined ? what : `${db} ${key.toString('latin1')}`;
}

const redisFiles = [
  ...['listpack.rdb', 'quicklist.rdb', 'set_listpack.rdb', 'intset_64.rdb', 'zset-ziplist.rdb'],
  ...['hash_with_hfe.rdb', 'hash_as_listpack_with_hfe.rdb', 'stream_listpacks_1.rdb'],
  ...['stream_listoacks_3.rdb', 'redis86-stream.rdb', 'redis86-vectorset.rdb', 'expiration.rdb'],
];

/** One file with all that Redis has, and one with what Valkey has beside. */
async function bases(): Promise<Buffer[]> {
  const entries: Parameters<typeof makeRdb>[0] = [];
  for (const [index, name] of redisFiles.entries()) {
    for (const item of await itemsOf(rdbFixture(name))) {
      if (!(item instanceof RdbEntry)) continue;
      const { type, body, expireMs } = item;
      entries.push({
        ...{ db: index, key: item.key, type, value: body },
        ...(expireMs === undefined ? {} : { expireMs }),
      });
    }
  }
  entries.push({ key: 'far', value: 'x', expireMs: 2n ** 63n - 1n });
  entries.push({ key: 'idle', value: 'x', idle: 77 }, { key: 'freq', value: 'x', freq: 7 });
  const time = Buffer.alloc(8);
  time.writeBigInt64LE(4_102_444_800_123n);
  const field = Buffer.concat([lengthPrefixed('f'), lengthPrefixed('v'), time]);
  const soon = { key: 'soon', type: 22, value: Buffer.concat([Buffer.from([1]), field]) };
  const [late] = (await itemsOf(rdbFixture('valkey9-field-ttl-2p48.rdb'))).filter(
    (item) => item instanceof RdbEntry,
  );
  return [
    await makeRdb(entries, { version: 13, functions: ['#!lua name=lib\nreturn 1'] }),
    await makeRdb([soon, { key: 'late', type: 22, value: (late as RdbEntry).body }], {
      ...{ flavor: 'valkey', version: 80 },
    }),
  ];
}

describe('from every server to every other', () => {
  let made: Buffer[] = [];
  beforeAll(async () => {
    made = await bases();
  });

  test.each(serverNames)('from %s', async (name) => {
    const from = targetOfServer(name);
    for (const base of made) {
      const first = await rewrite(base, from);
      const before = await contentOf(first.bytes);
      const lost = [...(await contentOf(base)).keys()].filter((key) => !before.has(key));
      expect(new Set(first.told.map(nameOf))).toEqual(new Set([...lost, ...first.told.map(nameOf)]));
      for (const other of serverNames) {
        const there = await rewrite(first.bytes, targetOfServer(other));
        const back = await rewrite(there.bytes, from);
        const after = await contentOf(back.bytes);
        const told = new Set([...there.told, ...back.told].map(nameOf));
        for (const [key, held] of before) {
          if (told.has(key)) continue;
          expect([key, other, after.get(key)]).toEqual([key, other, held]);
        }
      }
    }
  });

  test('what is told of is little: it is what the other lacks', async () => {
    const [base] = made;
    const told = async (name: string) =>
      new Set((await rewrite(base!, targetOfServer(name))).told.map(({ reason }) => reason));
    expect(await told('redis-8.6')).toEqual(new Set());
    expect(await told('redis-8.0')).toEqual(new Set());
    expect([...(await told('redis-7.4'))]).toEqual([
      expect.stringMatching(/^vector sets came with Redis 8\.0$/),
    ]);
    const reasons = [...(await told('redis-6.2'))].join('; ');
    for (const part of ['vector sets', 'of its fields expire', 'functions', 'last active', 'have read']) {
      expect(reasons).toContain(part);
    }
    expect([...(await rewrite(made[1]!, targetOfServer('redis-8.6'))).told]).toMatchObject(
      [{ key: Buffer.from('h'), reason: expect.stringContaining('281474976710656') }].map((each) => ({
        ...each,
        key: Buffer.from('late'),
      })),
    );
  });
});

test('a release that is not in the table is what the one before it is', () => {
  expect(targetOfVersionText('redis 6.2.16')).toMatchObject({ flavor: 'redis', version: 9 });
  expect(targetOfVersionText('redis 8.3.0')).toMatchObject({ flavor: 'redis', version: 12 });
  expect(targetOfVersionText('redis 99.0.0')).toMatchObject({ flavor: 'redis', version: 13 });
  expect(targetOfVersionText('valkey 8.0.1')).toMatchObject({ flavor: 'redis', version: 11 });
  expect(targetOfVersionText('valkey 9.1.2')).toMatchObject({ flavor: 'valkey', version: 80 });
  expect(can(targetOfVersionText('redis 6.0.0'), 'createConsumer')).toBe(false);
  expect(can(targetOfVersionText('valkey 9.0.0'), 'vectorSets')).toBe(false);
  expect(can({ flavor: 'redis', version: 12 }, 'vectorSets')).toBe(true);
  expect(releaseHas('fieldExpiry', 'redis', [7, 2])).toBe(false);
});
