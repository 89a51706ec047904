/** Backups brought back into a running deployment, out of a bucket. */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RestoreResult } from '../../src/agent/restore/run-restore.ts';
import type { Manifest } from '../../src/backup/manifest.ts';
import type { Verified } from '../../src/backup/verified.ts';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { makeRdb } from '../support/rdb-files.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { WriteLoad } from '../support/write-load.ts';

type RestoreAnswer = RestoreResult & { restored: number | string; same: number; replaced: number };

describe('restore', () => {
  let s3: S3Server;
  let deployment: TestDeployment;
  let client: Redis;
  /** Of the backup that most tests restore. */
  let backup: Manifest;

  beforeAll(async () => {
    s3 = await startS3();
    deployment = await TestDeployment.up({ backup: inBucket('main') });
    await deployment.waitUntilHealthy();
    client = deployment.client();
    await fill(client, 'first', 10);
    // A deployment's first backup is taken as soon as it holds something; then nothing more is due today.
    await deployment.waitForFirstBackup();
  });
  afterAll(async () => {
    await deployment?.destroy();
    await s3?.close();
  });

  const inBucket = (prefix: string) => ({
    ...{ to: `s3://bucket/${prefix}`, endpoint: s3.endpoint, schedule: '0 2 * * *', verify: 'never' },
  });

  async function fill(redis: Redis, prefix: string, keys: number): Promise<void> {
    const pipeline = redis.pipeline();
    for (let i = 0; i < keys; i++) pipeline.set(`${prefix}:${i}`, `${prefix} ${i}`);
    await pipeline.exec();
  }

  /** How many keys each member has, by what it says itself. */
  async function keysOfMembers(): Promise<number[]> {
    const { members } = await deployment.status();
    return Promise.all(members.map(({ port }) => deployment.client(port).dbsize()));
  }

  /** The digest over all that the deployment holds now. */
  async function digestNow(): Promise<string> {
    const { dataDigest } = await deployment.json<Manifest>('backup', ['now']);
    return dataDigest;
  }

  test('a backup under write load, verified, comes back into an emptied deployment as it was, and survives a crash of all', async () => {
    await fill(client, 'k', 5000);
    await client.hset('hash', { a: 1, b: 2 });
    await client.xadd('stream', '*', 'field', 'value');
    await client.set('expiring', 'x', 'EX', 10_000);
    await client.function('LOAD', "#!lua name=lib\nredis.register_function('f', function() return 1 end)");
    const load = new WriteLoad(Array.from({ length: 4 }, () => deployment.client()));
    await waitFor(() => load.report.acknowledged > 100, { what: 'the load to run', withinMs: 60_000 });
    backup = await deployment.json<Manifest>('backup', ['now']);
    await load.stop();
    const verdict = await deployment.json<Verified>('backup', ['verify', backup.id]);
    expect(verdict).toMatchObject({ good: true, problems: [], keys: backup.keys });
    const listed = await deployment.json<(Manifest & { verified: Verified | null })[]>('backup', ['list']);
    expect(listed.at(-1)).toMatchObject({ id: backup.id, verified: { good: true } });

    await client.flushall();
    await client.function('FLUSH');
    const result = await deployment.json<RestoreAnswer>('restore', ['latest']);
    expect(result).toMatchObject({ restored: backup.id, keysBefore: 0, keysAfter: backup.keys });
    expect(await keysOfMembers()).toEqual([backup.keys, backup.keys, backup.keys]);
    expect(await digestNow()).toBe(backup.dataDigest);
    await client.set('after', 'the restore');
    await deployment.written();

    const { members } = await deployment.status();
    for (const { pid } of members) process.kill(pid as number, 'SIGKILL');
    await deployment.waitForStatus('all to be back', ({ state, members: now }) => {
      return state === 'healthy' && now.every(({ pid }) => !members.some((before) => before.pid === pid));
    });
    const again = deployment.client();
    expect(await again.get('after')).toBe('the restore');
    await again.del('after');
    expect(await digestNow()).toBe(backup.dataDigest);
  });

  test('what is there is replaced only when that is said, and is backed up first', async () => {
    await client.flushall();
    await fill(client, 'precious', 3);
    const refused = await deployment.run('restore', [backup.id]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('holds 3 keys');
    expect(refused.stderr).toContain('--replace');
    expect(await client.dbsize()).toBe(3);

    const result = await deployment.json<RestoreAnswer>('restore', [backup.id], ['--replace']);
    expect(result).toMatchObject({ keysBefore: 3, keysAfter: backup.keys });
    expect(await client.exists('precious:1')).toBe(0);
    const back = await deployment.json<RestoreAnswer>(
      'restore',
      [result.safetyBackup?.id as string],
      ['--replace', '--no-safety-backup'],
    );
    expect(back).toMatchObject({ keysAfter: 3, safetyBackup: null });
    expect(await client.get('precious:1')).toBe('precious 1');
    // Whoever runs the same command again does not get what was replaced.
    const latest = await deployment.json<RestoreAnswer>('restore', ['latest'], ['--replace']);
    expect(latest.restored).not.toBe(result.safetyBackup?.id);
  });

  test('without a complete safety backup nothing is replaced', async () => {
    const before = await client.dbsize();
    s3.proxy.rule = ({ method }) => (method === 'PUT' || method === 'POST' ? { status: 403 } : undefined);
    try {
      const failed = await deployment.run('restore', [backup.id], ['--replace']);
      expect(failed.status).toBe(1);
      expect(failed.stderr).toContain('nothing was restored');
    } finally {
      s3.proxy.rule = () => undefined;
    }
    expect(await client.dbsize()).toBe(before);
    expect(await client.set('goes', 'on')).toBe('OK');
    await client.del('goes');
  });

  test('some keys come back beside those that are there, and a conflict changes nothing', async () => {
    await client.flushall();
    await fill(client, 'other', 2);
    const some = await deployment.json<RestoreAnswer>('restore', [backup.id], ['--match', 'k:1?']);
    expect(some).toMatchObject({ whole: false, restored: 10, keysRead: backup.keys });
    expect(await client.dbsize()).toBe(12);
    await client.set('k:10', 'changed');
    await client.del('k:11');
    const conflict = await deployment.run('restore', [backup.id], ['--match', 'k:1?']);
    expect(conflict.status).toBe(1);
    expect(conflict.stderr).toContain("'k:10'");
    expect(await client.exists('k:11')).toBe(0);
    const replaced = await deployment.json<RestoreAnswer>(
      'restore',
      [backup.id],
      ['--match', 'k:1?', '--replace'],
    );
    expect(replaced).toMatchObject({ restored: 1, replaced: 1, same: 8 });
    expect(replaced.safetyBackup).not.toBeNull();
    expect(await client.mget('k:10', 'k:11', 'other:1')).toEqual(['k 10', 'k 11', 'other 1']);
    await deployment.json<RestoreAnswer>(
      'restore',
      [backup.id],
      ['--match', 'expiring', '--db', '0=3', '--prefix', 'old:'],
    );
    const third = deployment.client(deployment.ports.gate, { db: 3 });
    expect(await third.get('old:expiring')).toBe('x');
    expect(await third.ttl('old:expiring')).toBeGreaterThan(9000);
  });

  test('a file that is no RDB, and a backup that is not there, change nothing', async () => {
    const before = await client.dbsize();
    for (const [wanted, what] of [
      [deployment.specFile, 'not an RDB'],
      ['redis_2020-01-01T000000Z', 'has no backup'],
      [path.join(deployment.folder, 'none.rdb'), 'there is no file://'],
    ] as const) {
      const { status, stderr } = await deployment.run('restore', [wanted], ['--replace']);
      expect(stderr).toContain(what);
      expect(status).toBe(1);
    }
    expect(await client.dbsize()).toBe(before);
    // Drift is looked for there as well, whenever it is.
    const left = readdirSync(path.join(deployment.stateDir, 'scratch'));
    expect(left.filter((name) => name.startsWith('restore-'))).toEqual([]);
  });

  test('a library that ends whoever loads it is refused, and left out when that is said', async () => {
    const { primary } = await deployment.status();
    const ends = () => deployment.events().filter(({ kind }) => kind === 'exited').length;
    const before = ends();
    const file = path.join(deployment.folder, 'deadly.rdb');
    const functions = ['#!lua name=x\nthis is not lua'];
    writeFileSync(file, await makeRdb([{ key: 'k', value: 'v' }], { functions }));
    const refused = await deployment.run('restore', [file], ['--replace']);
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('library x: no server takes it'),
    });
    const options = ['--replace', '--no-safety-backup', '--drop-unsupported'];
    const rest = await deployment.json<RestoreAnswer>('restore', [file], options);
    expect(rest).toMatchObject({ keysAfter: 1, primary });
    expect(await client.get('k')).toBe('v');
    expect(ends()).toBe(before);
  });

  test('up --restore: a new deployment begins with the data', async () => {
    const other = await TestDeployment.create({ backup: inBucket('other') });
    try {
      const url = `s3://bucket/main/${backup.object}`;
      const up = await other.run('up', [], ['--detach', '--restore', url]);
      expect(up.stderr).not.toContain('error');
      expect(up.status).toBe(0);
      expect(await other.client().dbsize()).toBe(backup.keys);
      const again = await other.run('up', [], ['--detach', '--restore', url]);
      expect(again.status).toBe(1);
      expect(again.stderr).toContain('nothing was restored');
    } finally {
      await other.destroy();
    }
  });
});
