/**
 * A mirror whose target is away, as an operator has it: what it misses waits on disk, and it goes on from there. Then everything
 * that has a part in it is killed, one behind the other, under writes.
 *
 * HOLDFAST_MIRROR_KILLS=20 kills each of them so often.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentClient } from '../../src/agent/api/agent-client.ts';
import type { MirrorStatus } from '../../src/agent/mirrors/mirror-keeper.ts';
import { statePaths } from '../../src/agent/state/paths.ts';
import { pause, waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { workersOf } from '../support/mirror-workers.ts';
import { cleanUp, client, kill9, type Server, startRedis } from '../support/redis-processes.ts';
import { howMany, isWhole } from '../support/whole-run.ts';

let deployment: TestDeployment;
let copy: Server;
let to: string;
beforeAll(async () => {
  copy = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  to = `redis://127.0.0.1:${copy.port}`;
  const config = { 'repl-backlog-size': '1mb', 'repl-ping-replica-period': '1' };
  deployment = await TestDeployment.create({ redis: { config } });
  deployment.writeSpec({ mirrors: { dr: { to } } });
  await deployment.start();
  await until('it to follow', ({ state }) => state === 'following');
});
afterAll(async () => {
  await deployment?.destroy();
  await cleanUp();
});

const mirror = async (): Promise<MirrorStatus> =>
  (await new AgentClient(statePaths(deployment.stateDir)).status()).mirrors[0]!;
async function until(what: string, is: (status: MirrorStatus) => boolean): Promise<MirrorStatus> {
  return await waitFor(
    async () => {
      const found = await mirror();
      return is(found) ? found : undefined;
    },
    { what, withinMs: 60_000, everyMs: 100 },
  );
}

const queueFolder = () => path.join(deployment.stateDir, 'mirrors', 'dr');
const copies = () => deployment.events().filter(({ kind }) => kind === 'mirror-copying');

/** The primary has the mirror's process beside its two replicas: what comes from now on is read. */
async function isRead(): Promise<void> {
  const { port } = await deployment.primary();
  const primary = deployment.client(port);
  const isThere = async () => /connected_slaves:3/.test(await primary.info('replication'));
  await waitFor(isThere, { what: 'the primary to be read', withinMs: 60_000 });
}

/** None of these processes is the mirror's any more, and another one is. */
async function isNext(before: readonly number[]): Promise<void> {
  const isThere = () => {
    const now = workersOf(deployment.agentPid());
    return now.length > 0 && !now.some((pid) => before.includes(pid));
  };
  await waitFor(isThere, { what: 'the next process', withinMs: 60_000 });
}

/** Writes so many bytes in pieces of 10 kB. */
async function write(redis: Redis, bytes: number, name: string): Promise<void> {
  for (let at = 0; at < bytes; at += 10_000) await redis.set(`${name}:${at}`, 'v'.repeat(10_000));
}

async function isEqual(): Promise<void> {
  await until('it to follow with nothing left', ({ state, lagBytes, queueBytes }) => {
    return state === 'following' && lagBytes === 0 && queueBytes === 0;
  });
  expect(await deployment.run('mirror', ['diff', 'dr'])).toMatchObject({
    ...{ status: 0, stdout: expect.stringContaining('no difference') },
  });
}

/** Pings of the primary go by, which are nothing for the target: where it stands, as it has it stored, is before them. */
async function pingsGoBy(): Promise<void> {
  const { port } = await deployment.primary();
  const primary = deployment.client(port);
  const offset = async () => Number(/master_repl_offset:(\d+)/.exec(await primary.info('replication'))?.[1]);
  for (let count = 0, at = await offset(); count < 2; count++) {
    const passed = async () => (await offset()) > at;
    await waitFor(passed, { what: 'a ping', withinMs: 20_000, everyMs: 20 });
    at = await offset();
  }
}

test('what came while the target was away is there, without another copy', async () => {
  const redis = deployment.client();
  copy.process.kill('SIGSTOP');
  await pingsGoBy();
  await kill9(copy.process);
  await write(redis, 2_000_000, 'away');
  const waiting = await until('it to wait', ({ queueBytes }) => (queueBytes ?? 0) > 2_000_000);
  expect(waiting).toMatchObject({ state: 'waiting', queueSeconds: expect.any(Number) });
  const [file] = readdirSync(queueFolder());
  expect(statSync(path.join(queueFolder(), file!)).mode & 0o777).toBe(0o600);
  expect((await deployment.run('mirror', ['status'])).stdout).toMatch(/QUEUE\n.* waiting +1\.9 MiB, /);
  const before = workersOf(deployment.agentPid());
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await isNext(before);
  // While no process runs only the backlog holds what comes.
  await until('it to say what waits', ({ queueBytes }) => (queueBytes ?? 0) > 2_000_000);
  await isRead();
  await write(redis, 300_000, 'killed');
  await until('the next process to go on', ({ queueBytes }) => (queueBytes ?? 0) > 2_300_000);
  copy = await startRedis([], copy);
  await isEqual();
  expect(copies()).toHaveLength(1);
});

test.runIf(isWhole)(
  'paused for longer than the backlog reaches back, it goes on without another copy',
  async () => {
    const redis = deployment.client();
    await deployment.run('mirror', ['pause', 'dr']);
    await until('it to be kept', ({ queueBytes }) => queueBytes !== null);
    await isRead();
    await write(redis, 1_500_000, 'paused');
    await until('it to be kept', ({ queueBytes }) => (queueBytes ?? 0) > 1_500_000);
    expect(await mirror()).toMatchObject({ state: 'paused', problem: null });
    expect(await client(copy.port).exists('paused:0')).toBe(0);
    await deployment.run('mirror', ['resume', 'dr']);
    await isEqual();
    expect(copies()).toHaveLength(1);
  },
);

test('beyond its bound a full copy is needed, which an event says; and the queue goes with the mirror', async () => {
  const redis = deployment.client();
  const before = workersOf(deployment.agentPid());
  deployment.writeSpec({ mirrors: { dr: { to, queue: '1mb' } } });
  expect((await deployment.run('apply', [], ['--yes'])).status).toBe(0);
  await isNext(before);
  await until('it to follow', ({ state }) => state === 'following');
  await isRead();
  await kill9(copy.process);
  await write(redis, 3_000_000, 'beyond');
  const full = await until('it to be full', ({ problem }) => problem?.includes('queue is full') === true);
  expect(full.queueBytes).toBeLessThan(1_500_000);
  await redis.del('away:0', 'beyond:0');
  copy = await startRedis([], copy);
  await isEqual();
  expect(copies()).toHaveLength(2);
  expect(copies()[1]!.text).toMatch(/gets a full copy: .* does not give what follows offset \d+ any more/);
  await kill9(copy.process);
  await write(redis, 100_000, 'last');
  await waitFor(() => existsSync(queueFolder()), { what: 'the queue', withinMs: 60_000 });
  deployment.writeSpec({ mirrors: { dr: undefined as unknown as Record<string, unknown> } });
  expect((await deployment.run('apply', [], ['--yes'])).status).toBe(0);
  await waitFor(() => !existsSync(queueFolder()), { what: 'the queue to go', withinMs: 60_000 });
  copy = await startRedis([], copy);
});

test('whatever is killed, there is no difference', async () => {
  const rounds = howMany('HOLDFAST_MIRROR_KILLS', 1, 5);
  const isUsual = !isWhole && process.env['HOLDFAST_MIRROR_KILLS'] === undefined;
  await client(copy.port).flushall();
  deployment.writeSpec({ mirrors: { dr: { to } } });
  expect((await deployment.run('apply', [], ['--yes'])).status).toBe(0);
  await until('it to follow', ({ state }) => state === 'following');
  const kills: Record<string, () => Promise<void>> = {
    'the process': async () => {
      for (const pid of workersOf(deployment.agentPid())) process.kill(pid, 'SIGKILL');
    },
    'the target': async () => {
      await kill9(copy.process);
      await pause(500);
      copy = await startRedis([], copy);
    },
    'the primary': async () => void process.kill((await deployment.primary()).pid as number, 'SIGKILL'),
    'the gate': async () => void process.kill((await deployment.status()).gates[0]!.pid as number, 'SIGKILL'),
  };
  let count = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [name, kill] of Object.entries(kills).slice(0, isUsual ? 2 : undefined)) {
      const stop = new AbortController();
      const writing = (async () => {
        let redis = deployment.client();
        while (!stop.signal.aborted) {
          const n = count++;
          const write = redis.multi().incr('count').rpush('list', n).set('gone', 'x', 'PX', 5).del('deleted');
          await write.exec().catch(async () => {
            await pause(20);
            redis = deployment.client();
          });
        }
      })();
      try {
        await pause(200);
        await kill();
        await pause(500);
      } finally {
        stop.abort();
        await writing;
      }
      await deployment.waitUntilHealthy(60_000);
      await isEqual();
      const target = client(copy.port);
      const list = await target.lrange('list', 0, -1);
      expect(new Set(list).size, `${name}, ${round}`).toBe(list.length);
      expect(await target.get('count'), `${name}, ${round}`).toBe(String(list.length));
    }
  }
}, 3_600_000);
