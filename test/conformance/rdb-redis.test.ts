import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram, runRdb } from '../support/rdb-cli.ts';
import { fillWithEverything } from '../support/rdb-data.ts';
import { cleanUp, client, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';

let source: Server;
let redis: Redis;
let dump: string;
let work: string;

beforeAll(async () => {
  // Field by field, so that packed, plain, compressed and split lists all come to be.
  source = await startRedis([
    '--list-max-listpack-size',
    '64',
    '--list-compress-depth',
    '1',
    '--maxmemory',
    '1gb',
    '--maxmemory-policy',
    'allkeys-lfu',
  ]);
  redis = client(source.port);
  await fillWithEverything(redis);
  await redis.save();
  dump = path.join(source.folder, 'dump.rdb');
  work = tempFolder();
});

afterAll(cleanUp);

/** A server that has loaded the file. */
async function load(file: string): Promise<Redis> {
  const folder = tempFolder();
  copyFileSync(file, path.join(folder, 'dump.rdb'));
  const server = await startRedis(['--appendonly', 'no'], { folder });
  return client(server.port);
}

async function digest(server: Redis): Promise<string> {
  return String(await server.debug('DIGEST'));
}

async function keyCounts(server: Redis): Promise<string[]> {
  return [...(await server.info('keyspace')).matchAll(/^(db\d+:keys=\d+,expires=\d+)/gm)].map(
    (match) => match[1]!,
  );
}

test('verify and inspect count what the server counts', async () => {
  const verified = (await runRdb(['verify', '--json', dump])).json();
  const counts = (verified['databases'] as { db: number; keys: number; expiring: number }[]).map(
    ({ db, keys, expiring }) => `db${db}:keys=${keys},expires=${expiring}`,
  );
  expect(verified).toMatchObject({ ok: true, checksum: 'matches', functions: 1, problemCount: 0 });
  expect(counts).toEqual(await keyCounts(redis));
  const inspected = (await runRdb(['inspect', '--json', dump])).json();
  expect(inspected['keys']).toBe(verified['keys']);
  const encodings = inspected['encodings'] as { type: string; encoding: string }[];
  expect(encodings.map(({ type, encoding }) => `${type} ${encoding}`).toSorted()).toEqual([
    'hash hashtable',
    'hash listpack',
    'list quicklist',
    'set hashtable',
    'set intset',
    'stream stream',
    'string compressed',
    'string int',
    'string raw',
    'zset listpack',
    'zset skiplist',
  ]);
});

describe('what is written loads, and is the same', () => {
  test.each([
    ['as it is', []],
    ['for Redis 6.2, everything packed unpacked', ['--for', 'redis-6.2']],
    ['for Redis 7.2', ['--for', 'redis-7.2', '--target-version-is-not-given'].slice(0, 2)],
  ])('filter %s', async (_what, options) => {
    const file = path.join(work, `filtered-${options.join('')}.rdb`);
    const ran = await runRdb(['filter', '--json', ...options, '-o', file, dump]);
    // Functions came with 7.0: a file for 6.2 is without, and says so.
    expect(ran.status).toBe(options[1] === 'redis-6.2' ? 3 : 0);
    // What is written for 7.2 says version 11, which 7.0 refuses; its bytes are those of version 10.
    if (options[1] === 'redis-7.2') {
      expect(readFileSync(file).toString('latin1', 0, 9)).toBe('REDIS0011');
      expect((await runRdb(['diff', '--json', dump, file])).json()).toMatchObject({ equal: true });
      return;
    }
    const loaded = await load(file);
    expect(await keyCounts(loaded)).toEqual(await keyCounts(redis));
    expect(await digest(loaded)).toBe(await digest(redis));
    const libraries = (await loaded.call('FUNCTION', 'LIST')) as unknown[];
    expect(libraries).toHaveLength(options.length === 0 ? 1 : 0);
  });

  test('LFU counters and expiries are kept', async () => {
    const file = path.join(work, 'kept.rdb');
    await runRdb(['filter', '-o', file, dump]);
    const folder = tempFolder();
    copyFileSync(file, path.join(folder, 'dump.rdb'));
    const loaded = client((await startRedis(['--maxmemory-policy', 'allkeys-lfu'], { folder })).port);
    const frequency = async (server: Redis) => Number(await server.object('FREQ', 'stream:many'));
    expect(await frequency(loaded)).toBeGreaterThan(5);
    expect(await loaded.pexpiretime('expires:later')).toBe(4_102_444_800_123);
  });

  test('resp makes the same keys through redis-cli --pipe', async () => {
    const ran = await runRdb(['resp', dump]);
    expect(ran.status).toBe(0);
    const server = await startRedis(['--maxmemory-policy', 'allkeys-lfu']);
    const piped = await runProgram('redis-cli', ['-p', String(server.port), '--pipe'], ran.stdout);
    expect(piped.stdout.toString()).toMatch(/errors: 0, replies: \d+/);
    const loaded = client(server.port);
    expect(await keyCounts(loaded)).toEqual(await keyCounts(redis));
    expect(await digest(loaded)).toBe(await digest(redis));
    expect(await groupsOf(loaded)).toEqual(await groupsOf(redis));
    expect(await loaded.xinfo('STREAM', 'stream:emptied')).toEqual(
      await redis.xinfo('STREAM', 'stream:emptied'),
    );
  });

  test('resp --replace may be run twice', async () => {
    const ran = await runRdb([
      'resp',
      '--replace',
      '--match',
      '*:*',
      '--type',
      'list,hash,zset,set,string',
      dump,
    ]);
    const server = await startRedis();
    for (let round = 0; round < 2; round++) {
      const piped = await runProgram('redis-cli', ['-p', String(server.port), '--pipe'], ran.stdout);
      expect(piped.stdout.toString()).toMatch(/errors: 0/);
    }
    expect(await client(server.port).llen('list:long')).toBe(3000);
  });
});

/** Pending entries without their idle times, which differ by now. */
async function groupsOf(server: Redis): Promise<unknown> {
  const groups = (await server.xinfo('GROUPS', 'stream:many')) as unknown[][];
  const pending = (await server.xpending('stream:many', 'readers', '-', '+', 100)) as unknown[][];
  const times = pending.map(([id, consumer, , deliveries]) => [id, consumer, deliveries]);
  return { groups, times };
}

test('json agrees with the server, key by key', async () => {
  const ran = await runRdb(['json', '--db', '0', dump]);
  const keys = JSON.parse(ran.stdout.toString()) as { key: string; type: string; value: unknown }[];
  const value = (key: string) => keys.find((each) => each.key === key)?.value;
  expect(keys.filter(({ type }) => type !== 'function')).toHaveLength(await redis.dbsize());
  expect(value('string:int64')).toBe('9223372036854775807');
  expect(value('string:mega')).toBe(await redis.get('string:mega'));
  expect(value('string:noise')).toBe(await redis.get('string:noise'));
  expect(value('list:long')).toEqual(await redis.lrange('list:long', 0, -1));
  expect(value('list:plain-nodes')).toEqual(await redis.lrange('list:plain-nodes', 0, -1));
  expect(value('hash:many')).toEqual(await redis.hgetall('hash:many'));
  expect((value('set:many') as string[]).toSorted()).toEqual((await redis.smembers('set:many')).toSorted());
  const scores = (value('zset:many') as { member: string; score: number }[]).map(({ member, score }) => [
    member,
    score,
  ]);
  const expected = await redis.zrange('zset:many', 0, -1, 'WITHSCORES');
  expect(scores.toSorted()).toEqual(
    expected
      .flatMap((member, index) => (index % 2 === 0 ? [[member, Number(expected[index + 1])]] : []))
      .toSorted(),
  );
  const short = value('zset:short') as { member: string; score: unknown }[];
  expect(short.map(({ score }) => score).toSorted()).toEqual(
    ['-inf', 1, 2.5, 3.0000000000000004, 'inf'].toSorted(),
  );
  const stream = value('stream:many') as { entries: { id: string; fields: string[][] }[] };
  const entries = await redis.xrange('stream:many', '-', '+');
  expect(stream.entries.map(({ id, fields }) => [id, fields.flat()])).toEqual(entries);
  expect(keys.some(({ key }) => key === '\udcff\u0000\n\udcc3(')).toBe(true);
});

test('diff finds no difference to the server, and each change made to it', async () => {
  const url = `redis://127.0.0.1:${source.port}`;
  const same = await runRdb(['diff', '--json', dump, url]);
  expect(same.json()).toMatchObject({ equal: true, firstOnly: 0, secondOnly: 0, differing: 0 });
  expect(same.status).toBe(0);
  const changed = await load(dump);
  await changed.del('set:words');
  await changed.set('added', '1');
  await changed.hset('hash:many', 'field-7', 'other');
  await changed.zincrby('zset:many', 1, 'member-3');
  await changed.persist('expires:later');
  await changed.set('list:short', 'now a string');
  const { port } = changed.options;
  const ran = await runRdb(['diff', '--json', dump, `redis://127.0.0.1:${port}`]);
  expect(ran.status).toBe(3);
  const { differences, ...counts } = ran.json();
  expect(counts).toMatchObject({ equal: false, firstOnly: 1, secondOnly: 1, differing: 4 });
  const found = new Map(
    (differences as { key: string; is: string; in?: string[]; how?: string }[]).map((each) => [
      each.key,
      each,
    ]),
  );
  expect(found.get('set:words')?.is).toBe('first-only');
  expect(found.get('added')?.is).toBe('second-only');
  expect(found.get('hash:many')).toMatchObject({
    in: ['value'],
    how: "1 changed: 'field-7' 'value 7' against 'other'",
  });
  expect(found.get('zset:many')).toMatchObject({ in: ['value'] });
  expect(found.get('expires:later')).toMatchObject({ in: ['expiry'] });
  expect(found.get('list:short')).toMatchObject({ in: ['type', 'value'], how: 'a list against a string' });
});

test('a password of a server lies in a file, never in its address', async () => {
  const { port } = await startRedis(['--user', ...'asks on >of-the-server ~* &* +@all'.split(' ')]);
  const locked = await startRedis(['--requirepass', 'of-the-other']);
  const [own, others] = [path.join(work, 'own'), path.join(work, 'others')];
  writeFileSync(own, 'of-the-server\n', { mode: 0o600 });
  writeFileSync(others, 'of-the-other\n', { mode: 0o600 });
  const [url, other] = [`redis://asks@127.0.0.1:${port}`, `redis://127.0.0.1:${locked.port}`];
  const both = await runRdb(['diff', '--json', url, other, '--password-file', `${own},${others}`]);
  expect(both.json()).toMatchObject({ equal: true, first: url, second: other });
  const none = await runRdb(['diff', dump, other]);
  expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining('--password-file') });
  const asked = await runRdb([
    'filter',
    '-o',
    `${work}/asked.rdb`,
    '--for',
    other,
    '--password-file',
    others,
    dump,
  ]);
  expect(asked.status).toBe(0);
  for (const args of [
    ['diff', dump],
    ['filter', dump, '-o', `${work}/never.rdb`, '--for'],
  ]) {
    const shown = await runRdb([...args, `redis://:hunter2@127.0.0.1:${locked.port}`]);
    expect(shown).toMatchObject({ status: 2, stderr: expect.stringContaining('SERVER_ADDRESS_UNCLEAR') });
    expect(shown.stdout + shown.stderr).not.toContain('hunter2');
  }
});

test('merge holds what its report promises', async () => {
  const other = await startRedis();
  const second = client(other.port);
  await second.mset('only-here', '1', 'string:short', 'other', 'set:words', 'a string');
  await second.set('expires:later', 'sooner', 'PXAT', 4_000_000_000_000);
  await second.save();
  const file = path.join(work, 'merged.rdb');
  const merge = (...options: string[]) =>
    runRdb(['merge', '--json', '-o', file, ...options, dump, path.join(other.folder, 'dump.rdb')]);
  const failed = await merge();
  expect(failed.status).toBe(1);
  expect(failed.json()).toMatchObject({ error: { code: 'RDB_CONFLICT' } });
  expect(readdirSync(work).filter((name) => name.includes('merged'))).toEqual([]);
  for (const [rule, short, expiry] of [
    ['first', 'abc', 4_102_444_800_123],
    ['last', 'other', 4_000_000_000_000],
    ['newest-expiry', 'abc', 4_102_444_800_123],
  ] as const) {
    const ran = await merge('--on-conflict', rule);
    const report = ran.json();
    const dropped = (report['conflictList'] as { key: string }[]).map(({ key }) => key).toSorted();
    expect(dropped).toEqual(['expires:later', 'set:words', 'string:short']);
    const loaded = await load(file);
    const total = (await keyCounts(loaded)).reduce(
      (sum, line) => sum + Number(/keys=(\d+)/.exec(line)?.[1]),
      0,
    );
    expect(report).toMatchObject({ conflicts: 3, keysWritten: total, keysRead: total + 3 });
    expect(await loaded.get('string:short')).toBe(short);
    expect(await loaded.pexpiretime('expires:later')).toBe(expiry);
    expect(await loaded.get('only-here')).toBe('1');
    expect(await loaded.type('set:words')).toBe(rule === 'last' ? 'string' : 'set');
  }
});

test('merge moves databases and puts prefixes', async () => {
  const file = path.join(work, 'moved.rdb');
  const ran = await runRdb([
    'merge',
    '-o',
    file,
    '--db',
    '2:0=7',
    '--db',
    '2:3=8',
    '--db',
    '2:15=9',
    '--prefix',
    '',
    '--prefix',
    'copy:',
    dump,
    dump,
  ]);
  expect(ran.status).toBe(0);
  const loaded = await load(file);
  expect(await loaded.dbsize()).toBe(await redis.dbsize());
  await loaded.select(7);
  expect(await loaded.dbsize()).toBe(await redis.dbsize());
  expect(await loaded.hgetall('copy:hash:many')).toEqual(await redis.hgetall('hash:many'));
});

test('split parts hold every key once, and load', async () => {
  for (const [by, more] of [
    ['db', []],
    ['3', []],
    ['prefix', []],
    ['slot', ['--slots', '0-8000,8001-16383']],
  ] as const) {
    const folder = path.join(work, `split-${by}`);
    mkdirSync(folder);
    const report = (await runRdb(['split', '--json', '--by', by, ...more, '-o', folder, dump])).json();
    const files = report['files'] as { file: string; keys: number }[];
    expect(files.length).toBeGreaterThan(1);
    const joined = path.join(work, `joined-${by}.rdb`);
    expect((await runRdb(['merge', '-o', joined, ...files.map(({ file }) => file)])).status).toBe(0);
    const loaded = await load(joined);
    expect(await digest(loaded)).toBe(await digest(redis));
  }
});

test('memory estimates come near to MEMORY USAGE', async () => {
  const report = await runRdb(['memory', '--db', '0', dump]);
  const rows = report.stdout.toString().trim().split('\n').slice(1);
  expect(rows).toHaveLength(await redis.dbsize());
  const off: string[] = [];
  // A stream that is being written to has room to grow in its last node; one that was loaded has not.
  const loaded = await load(dump);
  for (const row of rows) {
    const [, key = '', type = '', , bytes = ''] = /^0,"((?:[^"]|"")*)",(\w+),([\w-]+),(\d+),/.exec(row) ?? [];
    // Keys of odd bytes are escaped in the CSV.
    if (key.includes('\\')) continue;
    // This server compresses the inner nodes of lists, which a file does not tell.
    if (key === 'list:long') continue;
    const usage = (await (type === 'stream' ? loaded : redis).memory('USAGE', key, 'SAMPLES', 0)) ?? 0;
    // The server leaves out the places in its tables of keys and of expiries.
    const tables = key.startsWith('expires:') ? 40 : 8;
    const ratio = (Number(bytes) - tables) / usage;
    if (ratio < 0.8 || ratio > 1.25) off.push(`${key}: ${bytes} against ${usage}`);
  }
  expect(off).toEqual([]);
});

test('what is packed with gzip is read; what is broken is told', async () => {
  const { gzipSync } = await import('node:zlib');
  const packed = gzipSync(readFileSync(dump));
  const good = await runRdb(['verify', '--json', '-'], packed);
  expect(good.json()).toMatchObject({ ok: true, file: 'stdin' });
  const cut = await runRdb(['verify', '--json', '-'], packed.subarray(0, packed.length / 2));
  expect(cut.status).toBe(3);
  expect(cut.json()).toMatchObject({ ok: false });
});
