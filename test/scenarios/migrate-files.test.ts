import { appendFileSync, cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { holdfast } from '../support/deployment.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { cleanUp, client, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';
import { type S3Server, s3Credentials, startS3 } from '../support/s3-server.ts';

/** Files as sources: RDBs here and in S3 with each rule for conflicts, and an AOF; whatever is killed, everything is there once. */
let one: Server;
let to: Server;
let target: Redis;
let source: Redis;
let s3: S3Server | undefined;
beforeAll(async () => {
  one = await startRedis(['--aof-timestamp-enabled', 'yes', '--auto-aof-rewrite-percentage', '0']);
  to = await startRedis();
  source = client(one.port);
  target = client(to.port);
});
afterAll(async () => {
  await s3?.close();
  await MigrationProcess.killAll();
  await cleanUp();
});

async function savedAs(name: string): Promise<string> {
  await source.save();
  const file = path.join(tempFolder(), name);
  renameSync(path.join(one.folder, 'dump.rdb'), file);
  return file;
}

const migrate = (sources: string[], more: string[] = [], env = {}) =>
  holdfast(
    [
      'migrate',
      ...sources,
      '--to',
      `redis://127.0.0.1:${to.port}`,
      '--state-dir',
      `${tempFolder()}/s`,
      ...more,
    ],
    env,
  );

/** What each key of a database holds. */
async function contents(redis: Redis, db: number): Promise<string[]> {
  await redis.select(db);
  const keys = (await redis.keys('*')).sort();
  const sums = keys.length === 0 ? [] : ((await redis.call('DEBUG', 'DIGEST-VALUE', ...keys)) as string[]);
  await redis.select(0);
  return keys.map((key, index) => `${key} ${sums[index]}`);
}

test('an RDB in a folder and one in a bucket, each under a prefix, of all types', async () => {
  await source.flushall();
  await target.flushall();
  await fillWithAllTypes(source, 300);
  const file = await savedAs('a.rdb');
  s3 = await startS3();
  const store = await s3.open('dumps');
  await store.put('b.rdb', readFileSync(file));
  const env = { ...s3Credentials, AWS_ENDPOINT_URL: s3.endpoint, AWS_REGION: 'us-east-1' };
  const sources = [file, 's3://bucket/dumps/b.rdb'];
  const { status, stderr } = await migrate(
    sources,
    ['--prefix', 'a:', '--prefix', 'b:', '--db', '2:3=4'],
    env,
  );
  expect([status, stderr]).toEqual([0, expect.stringMatching(/done, 602 keys/)]);
  const named = async (prefix: string, db: number) =>
    (await contents(source, db)).map((line) => prefix + line).sort();
  expect(await contents(target, 0)).toEqual([...(await named('a:', 0)), ...(await named('b:', 0))].sort());
  expect(await contents(target, 3)).toEqual(await named('a:', 3));
  expect(await contents(target, 4)).toEqual(await named('b:', 3));
});

test('of a key that two files have, and the target, the rule says which counts', async () => {
  const later = Date.now() + 2_000_000;
  const files: string[] = [];
  for (const n of [1, 2]) {
    await source.flushall();
    await source.set('forever', `${n}`, 'PX', n === 1 ? 1_000_000 : 3_000_000);
    await source.rpush('list', `${n}`);
    await source.pexpireat('list', later - n * 100_000);
    await source.set(`only:${n}`, `${n}`);
    files.push(await savedAs(`${n}.rdb`));
  }
  const all = async () => [
    await target.get('forever'),
    (await target.lrange('list', 0, -1)).join(),
    await target.dbsize(),
  ];
  const results: Record<string, unknown> = {};
  for (const rule of ['first', 'last', 'newest-expiry']) {
    await target.flushall();
    await target.set('only:2', 'theirs');
    const { status } = await migrate(files, ['--on-conflict', rule]);
    results[rule] = [status, ...(await all()), await target.get('only:2')];
  }
  expect(results).toEqual({
    first: [0, '1', '1', 4, 'theirs'],
    last: [0, '2', '2', 4, '2'],
    'newest-expiry': [0, '2', '1', 4, 'theirs'],
  });
  await target.flushall();
  expect(await migrate(files)).toMatchObject({ status: 1, stderr: expect.stringMatching(/STREAM_CONFLICT/) });
});

test('an AOF in parts: killed at some moments, what it counts is there once; an end that is torn is left out', async () => {
  await source.flushall();
  await target.flushall();
  await source.config('SET', 'appendonly', 'yes');
  await waitFor(async () => /aof_rewrite_in_progress:0/.test(await source.info('persistence')), {
    what: 'the AOF',
    withinMs: 60_000,
  });
  const rounds = 3000;
  for (let done = 0; done < rounds; done += 500) {
    const pipeline = source.pipeline();
    for (let n = done; n < done + 500; n++)
      pipeline.incr('count').rpush('list', n).call('MULTI').incr('a').incr('b').call('EXEC');
    await pipeline.exec();
  }
  await source.config('SET', 'appendonly', 'no');
  const folder = path.join(tempFolder(), 'appendonlydir');
  cpSync(path.join(one.folder, 'appendonlydir'), folder, { recursive: true });
  const last = readdirSync(folder)
    .filter((name) => name.endsWith('.incr.aof'))
    .sort()
    .at(-1)!;
  appendFileSync(
    path.join(folder, last),
    '*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$5\r\ncount\r\n*2\r\n$4\r\nIN',
  );
  const args = [folder, '--to', `redis://127.0.0.1:${to.port}`, '--max-rate', '150kb'];
  const running = MigrationProcess.begin(`${tempFolder()}/state`, args);
  for (const least of [300, 900]) {
    await waitFor(async () => Number(await target.get('count')) >= least, {
      what: `${least} counts at the target`,
      withinMs: 60_000,
      everyMs: 5,
    });
    await running.kill();
    // On a machine that stood still meanwhile it was done already.
    if (running.hasPlan) running.resume();
  }
  await running.ended;
  expect(running.said()).toMatch(/done, .* are no whole command or transaction, and are left out/);
  expect(await target.mget('count', 'a', 'b')).toEqual([`${rounds}`, `${rounds}`, `${rounds}`]);
  expect(await target.lrange('list', 0, -1)).toEqual(Array.from({ length: rounds }, (_, n) => `${n}`));
  expect(await target.dbsize()).toBe(4);
  expect(running.hasPlan).toBe(false);
  // The same from a bucket.
  const store = await s3!.open('aof/appendonlydir');
  for (const name of readdirSync(folder)) await store.put(name, readFileSync(path.join(folder, name)));
  for (const url of ['s3://bucket/aof/', 's3://bucket/aof/appendonlydir/appendonly.aof.manifest']) {
    await target.flushall();
    const env = { ...s3Credentials, AWS_ENDPOINT_URL: s3!.endpoint, AWS_REGION: 'us-east-1' };
    const { status, stderr } = await migrate([url], [], env);
    expect([status, stderr]).toEqual([0, expect.stringContaining('done')]);
    expect(await target.mget('count', 'a', 'b')).toEqual([`${rounds}`, `${rounds}`, `${rounds}`]);
    expect(await target.llen('list')).toBe(rounds);
  }
});

test('beside a server that is scanned, what came from a file is not deleted', async () => {
  await source.flushall();
  await target.flushall();
  await source.set('of the file', 'v');
  const file = await savedAs('beside.rdb');
  await source.flushall();
  await source.mset('of the server', 'v');
  const server = `redis://127.0.0.1:${one.port}`;
  const args = [server, file, '--to', `redis://127.0.0.1:${to.port}`, '--method', 'scan'];
  const refused = MigrationProcess.begin(`${tempFolder()}/state`, args);
  expect(await refused.ended, 'both go to one place').toBe(2);
  const running = MigrationProcess.begin(`${tempFolder()}/state`, [...args, '--on-conflict', 'last']);
  const all = ['of the file', 'of the server'];
  const isThere = async () => (await target.exists(...all)) === all.length;
  await waitFor(isThere, { what: 'both to be copied', withinMs: 60_000 });
  // Compared once more behind a kill, when all of the file is there.
  await running.kill();
  running.resume();
  await waitFor(() => /redis:\S+: following/.test(running.said()), {
    what: 'it to follow',
    withinMs: 60_000,
  });
  expect(await isThere()).toBe(true);
});

test('what can’t be is said before anything begins', async () => {
  const file = await savedAs('x.rdb');
  const missing = await migrate(['/nowhere/x.rdb']);
  expect(missing).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/cannot read \/nowhere\/x\.rdb/),
  });
  await target.flushall();
  const named = (name: string, text: string) => {
    const written = path.join(tempFolder(), name);
    writeFileSync(written, text);
    return written;
  };
  const empty = await migrate([named('dump.rdb', '')]);
  expect(empty).toMatchObject({ status: 1, stderr: expect.stringMatching(/the file is empty/) });
  const words = await migrate([named('notes.txt', 'SET a 1\r\nCONFIG SET maxmemory-policy allkeys-lru\r\n')]);
  expect(words).toMatchObject({ status: 1, stderr: expect.stringMatching(/no command, behind offset 0/) });
  expect(await target.exists('a')).toBe(0);
  const server = `redis://127.0.0.1:${one.port}`;
  const mixed = await migrate([file, server], ['--on-conflict', 'first']);
  expect(mixed).toMatchObject({ status: 2, stderr: expect.stringMatching(/first is for files, and redis:/) });
  const folder = await migrate([tempFolder()]);
  expect(folder).toMatchObject({ status: 2, stderr: expect.stringMatching(/a folder without an AOF/) });
});
