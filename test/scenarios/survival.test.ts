import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { statePaths } from '../../src/agent/state/paths.ts';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { TestDeployment } from '../support/deployment.ts';
import { WriteLoad } from '../support/write-load.ts';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let deployment: TestDeployment;

afterAll(() => deployment?.destroy());

/** One of its own, in the place of the one before. */
async function another(create: () => Promise<TestDeployment>): Promise<void> {
  await deployment?.destroy();
  deployment = await create();
}

function killAll(target: TestDeployment): void {
  const pids = target.runningPids();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

async function dead(pids: number[]): Promise<void> {
  await waitFor(() => pids.every((pid) => !isAlive(pid)), {
    what: 'the killed to be gone',
    withinMs: 60_000,
  });
}

/** The agent is killed, and of one process of each kind there is no record, as when the disk was full when it was started. */
async function loseAgent(): Promise<void> {
  const agentPid = deployment.agentPid();
  process.kill(agentPid, 'SIGKILL');
  await dead([agentPid]);
  for (const unit of ['members/redis-1', 'members/redis-2', 'sentinels/sentinel-1', 'gates/gate-1']) {
    rmSync(path.join(deployment.stateDir, unit, 'process.json'));
  }
}

/** Each test but the last goes on with what the one before left. */
describe('the agent dies', () => {
  test('no client notices, the next up adopts everything and restarts nothing', async () => {
    await another(() => TestDeployment.up());
    const before = await deployment.waitUntilHealthy();
    const load = new WriteLoad(Array.from({ length: 4 }, () => deployment.client()));
    const agentPid = deployment.agentPid();
    await loseAgent();
    await deployment.start();
    const after = await deployment.waitUntilHealthy();
    const report = await load.stop();
    expect(report.dropped).toBe(0);
    expect([...report.errors]).toEqual([]);
    const pids = (status: typeof before) =>
      [...status.members, ...status.sentinels, ...status.gates].map(({ pid }) => pid);
    expect(pids(after)).toEqual(pids(before));
    expect(deployment.agentPid()).not.toBe(agentPid);
    expect(deployment.events().filter(({ kind }) => kind === 'adopted')).toHaveLength(7);
  });

  test('an adopted primary that is killed fails over as quickly as a child', async () => {
    const agentPid = deployment.agentPid();
    process.kill(agentPid, 'SIGKILL');
    await dead([agentPid]);
    await deployment.start();
    const old = await deployment.primary();
    process.kill(old.pid as number, 'SIGKILL');
    const status = await deployment.waitForStatus(
      'another primary',
      ({ primary, state }) => primary !== old.id && state === 'healthy',
    );
    expect(status.epoch).toBeGreaterThan(0);
    const kinds = deployment.events().map(({ kind }) => kind);
    expect(kinds).toContain('election');
  });

  test('the next one does its work at once though a replica hangs', async () => {
    const { members, primary } = await deployment.waitUntilHealthy();
    const replica = members.find(({ id }) => id !== primary);
    const pids = [deployment.agentPid(), replica?.pid as number] as const;
    process.kill(pids[0], 'SIGKILL');
    await dead([pids[0]]);
    process.kill(pids[1], 'SIGSTOP');
    await deployment.start();
    await dead([pids[1]]);
    await deployment.waitUntilHealthy();
    expect(deployment.events().map(({ kind }) => kind)).toContain('killed');
  });

  test('members whose sockets somebody has removed are asked at their ports, and are not taken for hung', async () => {
    const before = await deployment.waitUntilHealthy();
    const agentPid = deployment.agentPid();
    process.kill(agentPid, 'SIGKILL');
    await dead([agentPid]);
    for (const { id } of before.members) rmSync(statePaths(deployment.stateDir).member(id).socket);
    await deployment.start();
    const after = await deployment.waitUntilHealthy();
    const pids = ({ members }: Status) => members.map(({ pid }) => pid);
    expect(pids(after)).toEqual(pids(before));
  });

  test('down without an agent stops what it left, also where nothing could be written any more', async () => {
    const pids = deployment.runningPids();
    await loseAgent();
    const interrupted = { status: 0, said: expect.stringContaining('Interrupted') };
    expect(await deployment.interruptDown()).toEqual(interrupted);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('told to leave, it ends by that signal and leaves all running; stopped, it ends with 0', async () => {
    await another(() => TestDeployment.create());
    const begin = async () => {
      const child = spawn(
        process.execPath,
        [command, 'up', deployment.specFile, '--state-dir', deployment.stateDir],
        {
          stdio: ['ignore', 'ignore', 'inherit'],
          env: { ...process.env, NO_COLOR: '1' },
        },
      );
      const ended = once(child, 'exit');
      const answers = async () => (await deployment.status()).state === 'healthy';
      await waitFor(answers, { what: 'the agent to be up', withinMs: 60_000 });
      return { child, ended };
    };
    const first = await begin();
    const before = (await deployment.status()).members.map(({ pid }) => pid);
    first.child.kill('SIGUSR2');
    expect(await first.ended).toEqual([null, 'SIGUSR2']);
    expect(before.every((pid) => isAlive(pid as number))).toBe(true);
    const second = await begin();
    expect((await deployment.status()).members.map(({ pid }) => pid)).toEqual(before);
    second.child.kill('SIGTERM');
    expect(await second.ended).toEqual([0, null]);
    expect(before.some((pid) => isAlive(pid as number))).toBe(false);
  });
});

/** The second goes on with what the first left. */
describe('everything dies at once', () => {
  test('the data is there again, also when the Sentinels’ files name another member', async () => {
    await another(() => TestDeployment.up());
    await deployment.waitUntilHealthy();
    await deployment.json('switchover');
    const { id } = await deployment.primary();
    const client = deployment.client();
    for (let i = 0; i < 200; i++) await client.set(`k:${i}`, i);
    await deployment.written();
    const pids = deployment.runningPids();
    killAll(deployment);
    await dead(pids);
    // As if the Sentinels had not yet written down who was promoted.
    for (const sentinel of ['sentinel-1', 'sentinel-2', 'sentinel-3']) {
      const file = path.join(deployment.stateDir, 'sentinels', sentinel, 'sentinel.conf');
      const text = readFileSync(file, 'utf8');
      writeFileSync(
        file,
        text.replace(/^(sentinel monitor test 127.0.0.1) \d+/m, `$1 ${deployment.ports.members}`),
      );
    }
    await deployment.start();
    const status = await deployment.waitUntilHealthy();
    expect(status.primary).toBe(id);
    expect(await deployment.client().dbsize()).toBe(200);
  });

  test('the last primary’s files are gone: the newest of the others starts as primary, nobody is wiped', async () => {
    const { id, port } = await deployment.primary();
    const seen = async () => (await deployment.status()).members.every(({ lagBytes }) => lagBytes === 0);
    await waitFor(seen, { what: 'the replicas to have it all', withinMs: 60_000 });
    await deployment.run('down');
    rmSync(path.join(deployment.stateDir, 'members', id, 'data'), { recursive: true });
    await deployment.start();
    const status = await deployment.waitUntilHealthy();
    expect(status.primary).not.toBe(id);
    expect(await deployment.client().dbsize()).toBe(200);
    expect(await deployment.client(port).dbsize()).toBe(200);
    const warning = deployment.events().find(({ kind }) => kind === 'data-missing');
    expect(warning?.text).toContain(`${id} had data and its files are gone`);
  });
});

describe('the empty-primary guard', () => {
  test('a primary whose files vanish is not restarted over replicas that hold data, and the way out is said', async () => {
    await another(() => TestDeployment.up({ redis: { minReplicasToWrite: 0 } }));
    await deployment.waitUntilHealthy();
    const client = deployment.client();
    for (let i = 0; i < 100; i++) await client.set(`k:${i}`, i);
    const remembered = () => {
      const file = path.join(deployment.stateDir, 'members', 'redis-1', 'memory.json');
      return (JSON.parse(readFileSync(file, 'utf8')) as { keys: number }).keys === 100;
    };
    await waitFor(remembered, { what: 'the agent to have seen the keys', withinMs: 60_000 });
    // No replica may be promoted, so that the Sentinels go on naming the dead one.
    for (const port of [deployment.ports.members + 1, deployment.ports.members + 2]) {
      await deployment.client(port).config('SET', 'replica-priority', '0');
    }
    const zero = async () => {
      const replies = await Promise.all(
        [0, 1, 2].map((i) =>
          deployment.client(deployment.ports.sentinels + i).call('SENTINEL', 'REPLICAS', 'test'),
        ),
      );
      return (replies as string[][][]).every((list) =>
        list.every((fields) => fields[fields.indexOf('slave-priority') + 1] === '0'),
      );
    };
    await waitFor(zero, { what: 'the Sentinels to see the priorities', withinMs: 60_000, everyMs: 200 });
    const primary = await deployment.primary();
    rmSync(path.join(deployment.stateDir, 'members', 'redis-1', 'data', 'appendonlydir'), {
      recursive: true,
    });
    process.kill(primary.pid as number, 'SIGKILL');
    const status = await deployment.waitForStatus('the refusal', ({ problems }) =>
      problems.some((text) => text.includes('is not started')),
    );
    expect(status.state).toBe('down');
    expect(deployment.events().some(({ kind }) => kind === 'refused')).toBe(true);
    for (const port of [deployment.ports.members + 1, deployment.ports.members + 2]) {
      expect(await deployment.client(port).dbsize()).toBe(100);
    }
    // The way out that the message names.
    await deployment.client(deployment.ports.members + 1).config('SET', 'replica-priority', '100');
    await waitFor(async () => (await deployment.run('failover')).status === 0, {
      what: 'a failover',
      withinMs: 60_000,
      everyMs: 500,
    });
    await deployment.waitUntilHealthy(60_000);
    expect(await deployment.client().dbsize()).toBe(100);
  });
});

test('a member that is alone, and crashes before its data was saved, is started without it: status says what is lost until as much is there again', async () => {
  await another(() =>
    TestDeployment.up({ redis: { members: 1, persistence: 'rdb', minReplicasToWrite: 0 } }),
  );
  await deployment.waitUntilHealthy();
  const client = deployment.client();
  for (let i = 0; i < 50; i++) await client.set(`k:${i}`, i);
  await deployment.waitForStatus('the keys to be seen', () => {
    const file = path.join(deployment.stateDir, 'members', 'redis-1', 'memory.json');
    return (JSON.parse(readFileSync(file, 'utf8')) as { keys: number }).keys === 50;
  });
  process.kill((await deployment.primary()).pid as number, 'SIGKILL');
  const lost = /^redis-1 was started without its data, and nobody else has it: it held 50 keys at /;
  const isTold = ({ state, problems }: Status) =>
    state === 'degraded' && problems.some((each) => lost.test(each));
  await deployment.waitForStatus('the loss', isTold);
  expect(deployment.events().find(({ kind }) => kind === 'data-missing')?.text).toMatch(lost);
  for (let i = 0; i < 50; i++) await deployment.client().set(`k:${i}`, i);
  await deployment.waitUntilHealthy();
});
