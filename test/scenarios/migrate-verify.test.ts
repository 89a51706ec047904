/** `migrate verify`: what differs between two servers is found, told, and repaired; what only changes meanwhile is not. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { openSource } from '../../src/migrate/open-source.ts';
import { verify } from '../../src/migrate/verify/verify.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { holdfast } from '../support/deployment.ts';
import { cleanUp, client, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';

interface Answer {
  equal: boolean;
  compared: number;
  lookedFor: number;
  differing: number;
  repaired: number;
  differences: { db: number; key: string; is: string; how: string; repaired: boolean }[];
}

let source: Server;
let target: Server;
let [from, to] = [] as unknown as [Redis, Redis];

beforeAll(async () => {
  source = await startRedis();
  // Other encodings than the source's: a set of three is a table here.
  target = await startRedis([
    ...['--hash-max-listpack-entries', '1', '--zset-max-listpack-entries', '1'],
    ...['--set-max-intset-entries', '0', '--list-max-listpack-size', '2'],
  ]);
  [from, to] = [client(source.port), client(target.port)];
  await fillWithAllTypes(from, 600);
  await to.replicaof('127.0.0.1', source.port);
  await waitFor(async () => (await to.info('replication')).includes('master_link_status:up'), {
    what: 'the copy',
    withinMs: 60_000,
  });
});
afterAll(cleanUp);

async function verified(options: string[] = []): Promise<Answer & { status: number }> {
  const [one, other] = [source, target].map(({ port }) => `redis://127.0.0.1:${port}`);
  const { status, stdout, stderr } = await holdfast([
    'migrate',
    'verify',
    one!,
    other!,
    '--json',
    ...options,
  ]);
  if (stdout === '') throw new Error(stderr);
  return { ...(JSON.parse(stdout) as Answer), status };
}

test('writes that go on are no difference: what differs is looked at again', async () => {
  let goesOn = true;
  const writing = (async () => {
    for (let n = 0; goesOn; n++) {
      const pipeline = from.pipeline();
      for (let each = 0; each < 5; each++) {
        pipeline
          .set(`string:${((n * 5 + each) * 6) % 600}`, n, 'PX', 60_000)
          .rpush('hot', n)
          .ltrim('hot', -9, -1);
      }
      await pipeline.exec();
    }
  })();
  try {
    const found = await verified();
    expect(found.differences.filter(({ key }) => key !== 'hot')).toEqual([]);
    expect(found.compared).toBeGreaterThan(1190);
  } finally {
    goesOn = false;
    await writing;
  }
});

test('two equal servers have no difference, in whatever encodings; also in a sample', async () => {
  await to.replicaof('NO', 'ONE');
  // The same value by other ways: an intset against a table.
  await from.sadd('numbers', 1, 2, 3);
  await to.sadd('numbers', 3, 'x', 2, 1);
  await to.srem('numbers', 'x');
  const found = await verified();
  expect(found).toMatchObject({ status: 0, equal: true, differing: 0 });
  expect(found.compared).toBe((await from.dbsize()) + 601);
  expect(found.lookedFor).toBe(found.compared);
  expect(await verified(['--sample', '100'])).toMatchObject({ status: 0, equal: true });
});

test('each kind of difference is told, repaired when that is asked for, and then gone', async () => {
  await to.del('list:1');
  await to.set('only here', 'x');
  await to.hset('hash:4', 'hash:4-1', 'other');
  await to.rpush('was a string', 1);
  await from.set('was a string', 1);
  await to.persist('set:8');
  await to.pexpire('hash:16', 100_000);
  await to.select(3);
  await to.zadd('zset:3', 1.5, 'zset:3-1');
  await to.select(0);
  const kinds = (found: Answer) => found.differences.map(({ db, key, is }) => [db, key, is]).toSorted();
  const expected = [
    [0, 'hash:16', 'ttl'],
    [0, 'hash:4', 'value'],
    [0, 'list:1', 'missing'],
    [0, 'only here', 'extra'],
    [0, 'set:8', 'ttl'],
    [0, 'was a string', 'type'],
    [3, 'zset:3', 'value'],
  ];
  const told = await verified();
  expect(told.status).toBe(1);
  expect(kinds(told)).toEqual(expected);
  expect(told.differences.find(({ key }) => key === 'hash:4')?.how).toContain(
    "'hash:4-1' '1' against 'other'",
  );
  expect(await to.exists('list:1'), 'nothing is written unasked').toBe(0);

  const repaired = await verified(['--repair']);
  expect(repaired).toMatchObject({ status: 0, equal: true, differing: 7, repaired: 7 });
  expect(kinds(repaired)).toEqual(expected);
  expect(await to.lrange('list:1', 0, -1)).toEqual(await from.lrange('list:1', 0, -1));
  expect(await verified()).toMatchObject({ status: 0, differing: 0 });
});

test('a target without memory is named as such; passwords come from files', async () => {
  const locked = await startRedis([
    '--requirepass',
    'secret word',
    '--maxmemory',
    '1',
    '--maxmemory-policy',
    'noeviction',
  ]);
  const file = path.join(tempFolder(), 'password');
  writeFileSync(file, 'secret word\n', { mode: 0o600 });
  const words = ['migrate', 'verify', `redis://127.0.0.1:${source.port}`, `redis://127.0.0.1:${locked.port}`];
  const all = [...words, '--repair', '--limit', '3', '--target-password-file', file];
  const full = await holdfast(all);
  expect(full.status).toBe(1);
  expect(full.stderr).toContain('takes no more: OOM');
  const refused = await holdfast(words);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('MIGRATE_REFUSED');
});

test('what may be repaired is asked anew for each key', async () => {
  const [one, other] = [await startRedis(), await startRedis()];
  const place = ({ port }: Server) => ({ endpoint: { host: '127.0.0.1', port } });
  await client(one.port).mset('a', 'source', 'b', 'source');
  await client(other.port).mset('a', 'target', 'b', 'target');
  const source = await openSource(place(one));
  let asked = 0;
  const left: unknown[] = [];
  const result = await verify({
    ...{ source, target: place(other), repair: true, signal: new AbortController().signal },
    whyNotRepaired: async () => (++asked > 1 ? 'it was cut over' : null),
    onDifference: (difference) => left.push(difference.left),
    onProgress: () => {},
  }).finally(() => source.close());
  expect(result).toMatchObject({ differing: 2, repaired: 1 });
  expect(left).toEqual([undefined, 'it was cut over']);
  expect((await client(other.port).mget('a', 'b')).toSorted()).toEqual(['source', 'target']);
});
