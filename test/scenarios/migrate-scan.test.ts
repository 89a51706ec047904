/** `migrate scan`: the copy without replication, from servers that refuse it, under writes, and from a Redis Cluster. */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pause } from '../../src/base/retry.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { holdfast } from '../support/deployment.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

interface Answer {
  keys: number;
  passes: number;
  differing: number;
  withoutNotifications: string | null;
  leftOutCount: number;
  leftOut: { key: string; reason: string }[];
  guarantee: string;
}

/** As a managed service has it: no replication, no configuration. */
const managed = [
  '--user',
  'default',
  'on',
  'nopass',
  '~*',
  '&*',
  '+@all',
  '-psync',
  '-sync',
  '-replconf',
  '-config',
];

let target: Server;
let to: Redis;

beforeAll(async () => {
  target = await startRedis();
  to = client(target.port);
});
beforeEach(async () => {
  await to.flushall();
});
afterAll(cleanUp);

async function scanned(
  from: Server,
  options: string[] = [],
): Promise<Answer & { status: number; stderr: string }> {
  const sides = [from, target].map(({ port }) => `redis://127.0.0.1:${port}`);
  const { status, stdout, stderr } = await holdfast(['migrate', 'scan', ...sides, '--json', ...options]);
  if (stdout === '') throw new Error(stderr);
  return { ...(JSON.parse(stdout) as Answer), status, stderr };
}

async function expectTheSame(from: Server): Promise<void> {
  const sides = [from, target].map(({ port }) => `redis://127.0.0.1:${port}`);
  const { status, stdout } = await holdfast(['migrate', 'verify', ...sides]);
  expect(stdout).toContain('no difference');
  expect(status).toBe(0);
}

test('a source without replication and CONFIG is copied whole, by passes, and the next run finds what changed', async () => {
  const source = await startRedis(managed);
  const from = client(source.port);
  await fillWithAllTypes(from, 600);
  const first = await scanned(source);
  expect(first).toMatchObject({ status: 0, keys: 1202, differing: 0, leftOutCount: 0 });
  expect(first.withoutNotifications).toContain('refuses CONFIG');
  expect(first.guarantee).toContain('Both sides were compared');
  await expectTheSame(source);

  const refused = await holdfast([
    'migrate',
    'scan',
    ...[source, target].map(({ port }) => `redis://127.0.0.1:${port}`),
  ]);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('holds 1202 keys');

  await from.set('string:0', 'later');
  expect(await scanned(source, ['--replace'])).toMatchObject({ status: 0, differing: 0 });
  expect(await to.get('string:0')).toBe('later');
});

test('under writes, notifications tell what changed: counters, lists and deletions are there once, and CONFIG as it was', async () => {
  const source = await startRedis();
  const from = client(source.port);
  await fillWithAllTypes(from, 600);
  await from.config('SET', 'notify-keyspace-events', 'Ex');
  let goesOn = true;
  let rounds = 0;
  const writing = (async () => {
    for (; goesOn; rounds++) {
      const pipeline = from.pipeline().incr('counter').rpush('appended', rounds).select(3);
      for (let each = 0; each < 5; each++) pipeline.incr(`counters:${(rounds * 5 + each) % 500}`);
      // The second run keeps what is at the target only: nothing is deleted when the first one may be over.
      if (rounds < 60) pipeline.del(`list:${(rounds * 6 + 1) % 600}`);
      await pipeline.select(0).exec();
      // Whoever writes as fast as the server takes it is faster than what reads every key again.
      await pause(rounds < 60 ? 5 : 20);
    }
  })();
  // It comes to an end under writes: without notifications it would not, for some keys always differ.
  const answer = await scanned(source).finally(() => {
    goesOn = false;
  });
  await writing;
  expect(answer, answer.stderr).toMatchObject({ status: 0, withoutNotifications: null, differing: 0 });
  expect(await scanned(source, ['--replace'])).toMatchObject({ status: 0, differing: 0 });
  expect(await to.get('counter')).toBe(String(rounds));
  expect(await to.llen('appended')).toBe(rounds);
  expect(await from.config('GET', 'notify-keyspace-events')).toEqual(['notify-keyspace-events', 'xE']);
  await expectTheSame(source);
});

test('a managed source whose notifications are on already is followed, though nobody can see that they are', async () => {
  const source = await startRedis([...managed, '--notify-keyspace-events', 'KEA']);
  const from = client(source.port);
  await fillWithAllTypes(from, 300);
  const answer = await scanned(source);
  expect(answer).toMatchObject({ status: 0, differing: 0 });
  expect(answer.withoutNotifications).toContain('nobody can see whether notifications are on');
  await expectTheSame(source);
});

test('what the target can’t take is named, and all else is there', async () => {
  const source = await startRedis();
  const from = client(source.port);
  // What is all the same is sent in little: this is not.
  await from.set('long', randomBytes(3 * 2 ** 20));
  await from.set('short', 'y');
  await to.config('SET', 'proto-max-bulk-len', '1mb');
  try {
    const answer = await scanned(source);
    expect(answer.status).toBe(1);
    expect(answer.leftOut).toMatchObject([
      { key: 'long', reason: expect.stringContaining('proto-max-bulk-len') },
    ]);
    expect(await to.get('short')).toBe('y');
  } finally {
    await to.config('SET', 'proto-max-bulk-len', '512mb');
  }
});

test('where values are short nobody asks how long each is; a long one among them, and an expiry, come all the same', async () => {
  const source = await startRedis();
  const from = client(source.port);
  await from.call('DEBUG', 'POPULATE', 26_000, 'key', 20);
  // In a database of its own: none of its keys expires.
  await from.select(3);
  await from.call('DEBUG', 'POPULATE', 5000, 'key', 20);
  await from.select(0);
  await from.set('long', randomBytes(17 * 2 ** 20));
  for (let n = 0; n < 20; n++) await from.set(`expires:${n}`, n, 'EX', 2000 + n);
  const calls = async (of: string) => {
    const found = new RegExp(`^cmdstat_${of}:calls=(\\d+)`, 'm').exec(await from.info('commandstats'));
    return Number(found?.[1] ?? 0);
  };
  const answer = await scanned(source, ['--no-notifications']);
  expect(answer, answer.stderr).toMatchObject({ status: 0, keys: 31_021, differing: 0 });
  // By the copy, and by each pass.
  const times = 1 + answer.passes;
  // In the order in which they come there are thirteen thousand short ones in a row, wherever the long one is.
  expect(await calls('memory\\|usage')).toBeLessThan(31_021 * times - 2000);
  // By the pass for each; by the copy in the database in which some expire. What is read with the long one is read twice.
  expect(await calls('pttl')).toBeLessThan(31_021 * times - 2500);
  expect(await to.pttl('expires:7')).toBeGreaterThan(1000);
  await expectTheSame(source);
});

test('a Redis Cluster is one source, also while a slot moves', async () => {
  const { nodes, clients, ownerOf } = await startCluster();
  for (let n = 0; n < 900; n++) await clients[ownerOf(`key:${n}`)]?.set(`key:${n}`, n);
  // A slot stays on its way: one of its keys is there already, the others are not.
  const names = await Promise.all(clients.map((each) => each.cluster('MYID')));
  const moving = Number(await clients[0]?.cluster('KEYSLOT', 'key:1'));
  const owner = ownerOf('key:1');
  const other = (owner + 1) % 3;
  await clients[owner]?.mset('{key:1}a', 1, '{key:1}b', 2);
  await clients[other]?.call('CLUSTER', 'SETSLOT', moving, 'IMPORTING', names[owner] as string);
  await clients[owner]?.call('CLUSTER', 'SETSLOT', moving, 'MIGRATING', names[other] as string);
  await clients[owner]?.call('MIGRATE', '127.0.0.1', nodes[other]!.port, 'key:1', 0, 5000);
  const answer = await scanned(nodes[0]!);
  expect(answer, answer.stderr).toMatchObject({ status: 0, differing: 0, withoutNotifications: null });
  expect(await to.dbsize()).toBe(902);
  expect(await to.get('key:1')).toBe('1');
  await expectTheSame(nodes[0]!);
});
