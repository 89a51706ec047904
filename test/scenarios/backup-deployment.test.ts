import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Manifest } from '../../src/backup/manifest.ts';
import { openStore } from '../../src/backup/open-store.ts';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { readBack } from '../support/backups.ts';
import { TestDeployment } from '../support/deployment.ts';
import { WriteLoad } from '../support/write-load.ts';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const keys = 20_000;

let deployment: TestDeployment;
let folder: string;
beforeAll(async () => {
  deployment = await TestDeployment.create({
    redis: { minReplicasToWrite: 1 },
    gate: { durability: 'replicated' },
  });
  folder = path.join(deployment.folder, 'backups');
  deployment.writeSpec({ backup: { to: pathToFileURL(folder).href } as Record<string, unknown> });
  await deployment.start();
  await deployment.waitUntilHealthy();
  const load = deployment.client().pipeline();
  for (let key = 0; key < keys; key++) load.set(`key:${key}`, 'x'.repeat(1000));
  await load.exec();
  // A new deployment's agent takes a backup by itself once there are keys; the tests begin after it.
  await deployment.waitForFirstBackup();
});
afterAll(() => deployment?.destroy());
beforeEach(() => {
  // The claims of the agents stay: they say that this deployment's first backup was taken, and when to try again.
  for (const name of objects()) rmSync(path.join(folder, name));
});

const list = () => deployment.json<Manifest[]>('backup', ['list']);
/** Backups, and parts of them; what the agents note for each other does not count. */
const objects = () =>
  (existsSync(folder) ? readdirSync(folder) : []).filter((name) => /^\.?redis_/.test(name));

/** A backup from this member that takes seconds, and what it ends with. */
async function startSlow(from: { id: string; port: number }) {
  const member = deployment.client(from.port);
  // Twenty seconds: whatever happens meanwhile, happens meanwhile.
  await member.config('SET', 'rdb-key-save-delay', 1000);
  const args = [
    'backup',
    'now',
    deployment.specFile,
    '--state-dir',
    deployment.stateDir,
    '--json',
    '--from',
    from.id,
  ];
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString();
  });
  const ended = once(child, 'close').then(([status]) => ({
    status: status as number,
    result: JSON.parse(stdout) as { error?: { code: string; message: string } },
  }));
  const isSending = async () =>
    /:ip=.*,port=65536,state=(wait_bgsave|send_bulk)/.test(await member.info('replication'));
  await waitFor(isSending, { what: 'the snapshot to be sent', withinMs: 60_000 });
  return { child, ended, speedUp: () => member.config('SET', 'rdb-key-save-delay', 0) };
}

async function replicas() {
  const { members } = await deployment.waitUntilHealthy();
  return members.filter(({ role }) => role === 'replica');
}

test('under load, from a replica: no write is disturbed, and what is listed is what was held', async () => {
  const load = new WriteLoad(Array.from({ length: 4 }, () => deployment.client()));
  const manifest = await deployment.json<Manifest>('backup', ['now']);
  const report = await load.stop();
  expect([...report.errors]).toEqual([]);
  expect(report.dropped).toBe(0);
  expect(manifest.source.role).toBe('replica');
  expect(manifest.serverVersion).toMatch(/^(redis|valkey) \d/);
  expect(manifest.keys).toBeGreaterThanOrEqual(keys);
  expect(await list()).toMatchObject([manifest]);
  const store = await openStore(pathToFileURL(folder).href);
  expect(await readBack(store, manifest)).toMatchObject({
    keys: manifest.keys,
    dataDigest: manifest.dataDigest,
  });
});

test('from the primary while writes wait for every replica: the backup is not waited for', async () => {
  const primary = await deployment.primary();
  const slow = await startSlow(primary);
  const client = deployment.client();
  const startedMs = performance.now();
  for (let write = 0; write < 20; write++) await client.set('waited', write);
  // With the backup in the set of replicas, each of these would have waited until the hold was over.
  expect(performance.now() - startedMs).toBeLessThan(8000);
  expect(await deployment.client(primary.port).role()).toMatchObject([
    'master',
    expect.anything(),
    { length: 2 },
  ]);
  await slow.speedUp();
  slow.child.kill('SIGINT');
  expect(await slow.ended).toMatchObject({ status: 1, result: { error: { code: 'BACKUP_CANCELLED' } } });
  expect(objects()).toEqual([]);
});

test('a failover in the middle: the backup fails and says so, nothing is listed, the next one succeeds', async () => {
  const [replica] = await replicas();
  const slow = await startSlow(replica!);
  // A Sentinel may refuse just after another change; the backup takes longer than a few tries.
  const switched = async () => (await deployment.run('switchover', [], ['--to', replica!.id])).status === 0;
  await waitFor(switched, { what: 'the switchover', withinMs: 60_000 });
  const { status, result } = await slow.ended;
  expect(status).toBe(1);
  expect(result.error).toMatchObject({
    code: 'BACKUP_SOURCE_FAILED',
    message: expect.stringContaining(`from ${replica!.id} failed, nothing was stored`),
  });
  await slow.speedUp();
  expect(await list()).toEqual([]);
  expect(objects()).toEqual([]);
  await replicas();
  const next = await deployment.json<Manifest>('backup', ['now']);
  expect((await list()).map(({ id }) => id)).toEqual([next.id]);
});

test('seven days of ten are kept; --dry-run only says so', async () => {
  const taken = await deployment.json<Manifest>('backup', ['now']);
  for (let day = 1; day <= 10; day++) {
    const id = `redis_2026-01-${String(day).padStart(2, '0')}T020000Z`;
    const manifest = {
      ...taken,
      id,
      object: `${id}.rdb`,
      startedAt: `2026-01-${String(day).padStart(2, '0')}T02:00:00Z`,
    };
    copyFileSync(path.join(folder, taken.object), path.join(folder, manifest.object));
    writeFileSync(path.join(folder, `${id}.json`), JSON.stringify(manifest));
  }
  rmSync(path.join(folder, `${taken.id}.json`));
  interface Pruned {
    removed: { id: string }[];
    leftovers: string[];
  }
  const plan = await deployment.json<Pruned>('backup', ['prune'], ['--dry-run']);
  expect(plan.removed.map(({ id }) => id.slice(6, 16))).toEqual(['2026-01-01', '2026-01-02', '2026-01-03']);
  expect(plan.leftovers).toEqual([taken.object]);
  expect(await list()).toHaveLength(10);
  expect(await deployment.json<Pruned>('backup', ['prune'])).toMatchObject({ removed: plan.removed });
  expect((await list()).map(({ startedAt }) => startedAt.slice(8, 10))).toEqual([
    '04',
    '05',
    '06',
    '07',
    '08',
    '09',
    '10',
  ]);
  expect(objects()).toHaveLength(14);
});

test('what is wrong with the wish or the spec is exit status 2', async () => {
  const wrong = await deployment.run('backup', ['now'], ['--from', 'redis-9']);
  expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('redis-1, redis-2, redis-3') });
  const elsewhere = path.join(deployment.folder, 'elsewhere');
  const stranger = await deployment.run('backup', ['now'], ['--state-dir', elsewhere]);
  expect(stranger).toMatchObject({ status: 2, stderr: expect.stringContaining('BACKUP_SECRET_MISSING') });
  expect(existsSync(elsewhere)).toBe(false);
});

test('without an agent: the members are asked directly', async () => {
  const agent = deployment.agentPid();
  process.kill(agent, 'SIGUSR2');
  await waitFor(() => !isAlive(agent), { what: 'the agent to end', withinMs: 60_000 });
  const { status, stdout } = await deployment.run('backup', ['now']);
  expect(stdout).toMatch(/^redis_\S+Z: \d+ keys, .* from redis-\d \(replica\), verified, in /);
  expect(status).toBe(0);
  await deployment.start();
});
