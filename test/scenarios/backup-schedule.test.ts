/** Backups that the agents take by the schedule: by one of them, once, kept as the spec says, and never half listed. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { lastClaim, putClaim } from '../../src/backup/claims.ts';
import { listBackups } from '../../src/backup/list.ts';
import type { Manifest } from '../../src/backup/manifest.ts';
import { openStore } from '../../src/backup/open-store.ts';
import { runScheduled, type ScheduledResult } from '../../src/backup/scheduled-run.ts';
import type { BackupStore } from '../../src/backup/store.ts';
import { waitFor } from '../../src/base/retry.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { loadSecrets, makeSecret, ownUserName } from '../../src/spec/secrets.ts';
import type { Backup, Spec } from '../../src/spec/spec.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { backupMs, TestDeployment } from '../support/deployment.ts';
import { cleanUp, client, freePort, startRedis, tempFolder } from '../support/redis-processes.ts';

const dayMs = 86_400_000;
const minuteMs = 60_000;
const firstDue = Date.parse('2031-03-01T02:00:00Z');

describe('a scheduled run', () => {
  let spec: Spec;
  let secretFile: string;
  let store: BackupStore;
  let nowMs = firstDue;

  beforeAll(async () => {
    const port = await freePort();
    secretFile = path.join(tempFolder(), 'secret');
    spec = specFor(port, 'file:///nowhere');
    await makeSecret(secretFile);
    const { own } = await loadSecrets(spec, secretFile);
    const user = [
      ownUserName('backup'),
      'on',
      `>${own.backup}`,
      '-@all',
      '+psync',
      '+replconf',
      '+ping',
      '+info',
    ];
    const server = await startRedis(['--user', ...user], { port });
    await client(server.port).mset('a', '1', 'b', '2');
  });
  afterAll(cleanUp);
  afterEach(() => {
    nowMs = firstDue;
  });

  function specFor(port: number, to: string): Spec {
    const text = `name: test
redis: { members: 1, port: ${port} }
backup: { to: "${to}", schedule: "0 2 * * *", keep: { daily: 7 }, verify: never }
`;
    return parseSpec(text, 'holdfast.yaml');
  }

  async function run(host: string, changes: Partial<{ dueMs: number; keysNow: number; agent: string }> = {}) {
    const task = {
      ...({ task: 'scheduled', spec, secretFile, holder: `the agent of host ${host}` } as const),
      ...{ host, agent: `first of ${host}`, dueMs: nowMs, keysNow: 2 },
      ...{ redisServer: '/usr/bin/redis-server', workFolder: tempFolder() },
      ...changes,
    };
    const signal = new AbortController().signal;
    const clock = { wallMs: () => nowMs, monotonicMs: () => performance.now() };
    const backup = spec.backup as Backup;
    return runScheduled({ ...task, backup }, { store, clock, signal, report: () => {}, keys: {} });
  }

  async function newStore(): Promise<void> {
    store = await openStore(pathToFileURL(tempFolder()).href);
  }

  test('of ten daily ones seven are kept, and each says what it did', async () => {
    await newStore();
    const results: ScheduledResult[] = [];
    for (let day = 0; day < 10; day++) {
      nowMs = firstDue + day * dayMs;
      results.push(await run('a'));
    }
    expect(results.map(({ outcome }) => outcome)).toEqual(Array(10).fill('taken'));
    expect(results.map(({ pruned }) => pruned.length)).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
    expect(results[9]?.text).toMatch(
      /^took redis_2031-03-10T020000Z from redis-1: 2 keys, .*; kept 7, pruned redis_2031-03-03T020000Z$/,
    );
    expect((await listBackups(store)).map(({ id }) => id)).toEqual(
      [4, 5, 6, 7, 8, 9, 10].map((day) => `redis_2031-03-${String(day).padStart(2, '0')}T020000Z`),
    );
  });

  test('of two agents that begin at once one takes it; later ones find it there', async () => {
    await newStore();
    const outcomes = (await Promise.all([run('a'), run('b')])).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(1);
    nowMs += minuteMs;
    expect(await run('c', { dueMs: firstDue })).toMatchObject({
      outcome: 'there',
      lastGood: { atMs: firstDue },
    });
    expect(await listBackups(store)).toHaveLength(1);
  });

  test('when the host that began is gone, another takes it after a while, and its own next agent at once', async () => {
    await newStore();
    await putClaim(store, 'test', firstDue, { number: 1, host: 'a', agent: 'first of a', atMs: nowMs });
    nowMs = firstDue + minuteMs;
    const early = await run('b', { dueMs: firstDue });
    expect(early.outcome).toBe('elsewhere');
    expect(early.text).toContain('host a tried');
    expect(await run('a', { dueMs: firstDue })).toMatchObject({ outcome: 'elsewhere' });
    nowMs = firstDue + 6 * minuteMs;
    expect(await run('b', { dueMs: firstDue })).toMatchObject({ outcome: 'taken' });
    expect(await lastClaim(store, 'test', firstDue)).toMatchObject({ number: 2, host: 'b' });

    await newStore();
    await putClaim(store, 'test', firstDue, { number: 1, host: 'a', agent: 'first of a', atMs: nowMs });
    expect(await run('a', { dueMs: firstDue, agent: 'second of a' })).toMatchObject({ outcome: 'taken' });
  });

  test('several missed runs are made up by one', async () => {
    await newStore();
    await run('a');
    nowMs = firstDue + 5 * dayMs + minuteMs;
    expect(await run('a', { dueMs: firstDue + 5 * dayMs })).toMatchObject({ outcome: 'taken' });
    expect(await run('a', { dueMs: firstDue + 5 * dayMs })).toMatchObject({ outcome: 'there' });
    expect(await listBackups(store)).toHaveLength(2);
  });

  test('a clock that jumped once ends nothing: what it dated ahead stands in for none and takes nobody’s place', async () => {
    await newStore();
    nowMs = firstDue + 4000 * dayMs;
    await run('a');
    for (let day = 0; day < 9; day++) {
      nowMs = firstDue + day * dayMs;
      // The claim of a try, made while the clock was wrong.
      await putClaim(store, 'test', nowMs, { number: 1, host: 'b', agent: 'x', atMs: nowMs + 99 * dayMs });
      expect(await run('a')).toMatchObject({ outcome: 'taken', lastGood: { atMs: nowMs } });
    }
    expect(await listBackups(store)).toHaveLength(8);
  });

  test('nothing is backed up in place of something', async () => {
    await newStore();
    expect(await run('a', { keysNow: 0 })).toMatchObject({ outcome: 'empty', lastGood: null });
    await run('a');
    nowMs = firstDue + dayMs;
    await expect(run('a', { keysNow: 0 })).rejects.toMatchObject({ code: 'BACKUP_OF_NOTHING' });
    expect(await listBackups(store)).toHaveLength(1);
  });
});

describe('the schedule of an agent', () => {
  let deployment: TestDeployment;
  afterEach(() => deployment?.destroy());

  test('an agent killed in mid-backup: nothing is listed or left, and the next agent makes it up', async () => {
    deployment = await TestDeployment.create();
    const folder = path.join(deployment.folder, 'store');
    const to = pathToFileURL(folder).href;
    deployment.writeSpec({ backup: { to, schedule: '0 2 * * *', verify: 'daily' } });
    await deployment.start();
    const { members } = await deployment.waitUntilHealthy();
    const slow = async (microseconds: number) => {
      for (const { port } of members)
        await deployment.client(port).config('SET', 'rdb-key-save-delay', microseconds);
    };
    await slow(8000);
    const redis = deployment.client();
    // All at once: the first backup begins as soon as there is a key. Random: the server sends 16 KiB at a time.
    const values = Array.from({ length: 500 }, (_, i) => [`k:${i}`, randomBytes(500).toString('hex')]);
    await redis.mset(values.flat());
    const uploading = () =>
      existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('.') && name.endsWith('.tmp'));
    await waitFor(uploading, { what: 'a backup to be under way', withinMs: backupMs });
    const lock = JSON.parse(readFileSync(path.join(folder, 'holdfast.lock'), 'utf8')) as {
      process: { pid: number };
    };
    expect((await deployment.status()).backup).toMatchObject({ running: true, lastGoodAt: null });
    process.kill(deployment.agentPid(), 'SIGKILL');
    await waitFor(() => !isAlive(lock.process.pid), { what: 'its worker to end', withinMs: 60_000 });
    expect(await deployment.json<Manifest[]>('backup', ['list'])).toEqual([]);
    expect(readdirSync(folder).filter((name) => /\.(rdb|tmp|json)$/.test(name))).toEqual([]);

    await slow(0);
    await deployment.start();
    const isThere = ({ backup: seen }: Status) => seen?.lastGoodAt !== null && seen?.lastVerifiedAt !== null;
    const { backup } = await deployment.waitForStatus('the backup', isThere, backupMs);
    expect(backup).toMatchObject({ lastError: null, lastVerifiedGood: true });
    expect(await deployment.json<Manifest[]>('backup', ['list'])).toMatchObject([
      { keys: 500, reason: 'schedule' },
    ]);
    const told = deployment.events().filter(({ kind }) => kind === 'backup');
    expect(told).toHaveLength(1);
    expect(told[0]?.text).toMatch(/500 keys.*kept 1, pruned none; verified by restoring it$/);
  });

  test('a store that cannot be written shows in status and events', async () => {
    deployment = await TestDeployment.create();
    const to = pathToFileURL(path.join(deployment.specFile, 'under-a-file')).href;
    deployment.writeSpec({ redis: { members: 1 }, backup: { to, schedule: '0 2 * * *' } });
    await deployment.start();
    const { backup } = await deployment.waitForStatus(
      'the failure',
      ({ backup: seen }) => seen?.lastError !== null,
      backupMs,
    );
    expect(backup?.lastError).toContain('under-a-file');
    expect(deployment.events().find(({ kind }) => kind === 'backup-failed')?.text).toContain('under-a-file');
  });
});
