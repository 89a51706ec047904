/**
 * A stop, an interrupted command or a second command in the middle of a planned change: the change ends in order or the
 * other is refused, and nothing is started after it was stopped.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentClient } from '../../src/agent/api/agent-client.ts';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { statePaths } from '../../src/agent/state/paths.ts';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { type CliProcess, startCli } from '../support/cli-process.ts';
import { TestDeployment } from '../support/deployment.ts';
import { isWhole } from '../support/whole-run.ts';

let deployment: TestDeployment;
const members = ['redis-1', 'redis-2', 'redis-3'];

beforeAll(async () => {
  deployment = await TestDeployment.up();
  await deployment.waitUntilHealthy();
  const client = deployment.client();
  for (let i = 0; i < 100; i++) await client.set(`k:${i}`, i);
});
afterAll(() => deployment?.destroy());

const start = (verb: string, ...options: string[]): CliProcess =>
  startCli([verb, deployment.specFile, '--state-dir', deployment.stateDir, ...options]);

/** Waits until a change is under way, or over already: some take a few milliseconds. */
async function underWay(running: CliProcess): Promise<void> {
  let over = false;
  void running.ended.then(() => {
    over = true;
  });
  const url = `http://127.0.0.1:${deployment.ports.api}/status`;
  const look = async () => over || ((await (await fetch(url)).json()) as Status).operation !== null;
  await waitFor(look, { what: 'the change to begin', withinMs: 60_000, everyMs: 1 });
}

const said = (running: CliProcess, words: RegExp) =>
  waitFor(() => words.test(running.said()), { what: `${words}`, withinMs: 60_000, everyMs: 2 });

/** Nothing of it runs, and the last thing that each server did was to stop. */
async function allStopped(pids: number[]): Promise<void> {
  await waitFor(() => !pids.some(isAlive), { what: 'all processes to end', withinMs: 60_000 });
  expect(deployment.runningPids()).toEqual([]);
  for (const id of members) {
    const log = readFileSync(path.join(deployment.stateDir, 'members', id, 'log'), 'utf8');
    expect(log.trimEnd().split('\n').at(-1)).toContain('bye bye');
  }
}

/** Brings it up again: all is there, and well. */
async function again(): Promise<void> {
  await deployment.start();
  await deployment.waitUntilHealthy();
  expect(await deployment.client().dbsize()).toBe(100);
}

describe('SIGTERM to the agent in the middle of', () => {
  const changes: [string, () => CliProcess, (running: CliProcess) => Promise<unknown>][] = [
    ['a switchover', () => start('switchover'), underWay],
    [
      'a rolling restart, when a member was just stopped',
      () => start('restart', '--rolling'),
      (running) => said(running, /redis-\d stopped/),
    ],
  ];

  const others: typeof changes = [
    ['a failover on request', () => start('failover'), underWay],
    [
      'an apply',
      () => {
        deployment.writeSpec({ redis: { maxMemory: `${64 + Math.round(performance.now() % 64)}mb` } });
        return start('apply');
      },
      underWay,
    ],
    ['a rolling restart, as it begins', () => start('restart', '--rolling'), underWay],
    [
      'a rolling restart, when two members are through',
      () => start('restart', '--rolling'),
      (running) => said(running, /restarted[\s\S]*restarted/),
    ],
  ];

  test.each(isWhole ? [...changes, ...others] : changes)(
    '%s: it ends in order, then everything stops',
    async (_, begin, moment) => {
      const agent = deployment.agentPid();
      const pids = [...deployment.runningPids(), agent];
      const running = begin();
      await moment(running);
      process.kill(agent, 'SIGTERM');
      const status = await running.ended;
      if (status !== 0) expect(running.said()).toMatch(/OPERATION_ABORTED|OPERATION_UNDER_WAY/);
      await allStopped(pids);
      await again();
    },
  );

  test('a stop, by down: the same stop. And of the start: what was started is stopped again', async () => {
    const agent = deployment.agentPid();
    const pids = [...deployment.runningPids(), agent];
    const client = new AgentClient(statePaths(deployment.stateDir));
    process.kill(agent, 'SIGTERM');
    const stopping = () =>
      client.status().then(
        ({ operation }) => operation === 'stopping',
        () => true,
      );
    await waitFor(stopping, { what: 'the stop to begin', withinMs: 60_000, everyMs: 1 });
    // The agent may have ended before it could answer.
    const down = client.run('down', {}, () => {}).catch(({ code }: { code: string }) => code);
    expect([{ stopped: true }, 'NOT_RUNNING']).toContainEqual(await down);
    await allStopped(pids);
    const up = start('up');
    await said(up, /starting redis-\d as primary/);
    up.child.kill('SIGTERM');
    expect(await up.ended).toBe(1);
    expect(up.said()).toContain('OPERATION_ABORTED');
    expect(deployment.runningPids()).toEqual([]);
    await again();
  });
});

test('Ctrl-C of a rolling restart: the member that is down comes back, the others are left alone', async () => {
  const before = (await deployment.status()).members;
  const running = start('restart', '--rolling');
  await said(running, /redis-\d stopped/);
  running.child.kill('SIGINT');
  await running.ended;
  const after = await deployment.waitForStatus(
    'the end of the change',
    ({ operation, state }) => operation === null && state === 'healthy',
  );
  const pids = new Set(before.map(({ pid }) => pid));
  expect(after.members.filter(({ pid }) => !pids.has(pid))).toHaveLength(1);
  expect(deployment.events().at(-1)?.kind).not.toBe('restarted');
  expect(deployment.events().map(({ kind }) => kind)).toContain('given-up');
});

test('a second command is refused with what is under way', async () => {
  const agent = new AgentClient(statePaths(deployment.stateDir));
  const commands = {
    ...{ switchover: {}, failover: {}, restart: {} },
    ...{ apply: { file: deployment.specFile }, restore: { facts: true } },
  } as const;
  const ask = (command: keyof typeof commands) => agent.run(command, commands[command], () => {});
  const refused: Promise<unknown>[] = [];
  await agent.run('restart', {}, (step) => {
    if (refused.length > 0 || !step.includes('stopped')) return;
    for (const command of ['switchover', 'failover', 'restart', 'apply', 'restore'] as const) {
      refused.push(ask(command).catch((error: unknown) => error));
    }
  });
  expect(refused).toHaveLength(5);
  for (const error of await Promise.all(refused))
    expect(error).toMatchObject({ code: 'OPERATION_UNDER_WAY', message: 'a restart is under way' });
  await deployment.waitUntilHealthy();
});

describe('in the middle of', () => {
  const client = () => new AgentClient(statePaths(deployment.stateDir));
  const others = { switchover: {}, failover: {}, restart: {} } as const;

  /** Its target answers nobody for so long: it waits for it, and holds nothing. */
  async function slowSwitchover(signal: AbortSignal): Promise<unknown> {
    const target = (await deployment.status()).members.find(({ role }) => role === 'replica');
    await deployment.client(target?.port).call('CLIENT', 'PAUSE', '2500', 'ALL');
    return client().run('switchover', { to: target?.id }, () => {}, signal);
  }

  /** One of the Sentinels was stopped: it is asked until it was killed for that, and started again. */
  async function slowApply(signal: AbortSignal): Promise<unknown> {
    deployment.writeSpec({ sentinel: { failoverTimeout: `${13 + Math.round(performance.now() % 40)}s` } });
    const [first] = (await deployment.status()).sentinels;
    process.kill(first?.pid as number, 'SIGSTOP');
    return client().run('apply', { file: deployment.specFile }, () => {}, signal);
  }

  test.each([
    ['switchover', 'a switchover', slowSwitchover],
    ['apply', 'applying the spec', slowApply],
  ] as const)(
    '%s: another command is refused with that, and whoever asked for it may give it up',
    async (_, words, change) => {
      const { primary } = await deployment.waitUntilHealthy();
      const aborter = new AbortController();
      const over = change(aborter.signal).then(
        () => 'done',
        () => 'given up',
      );
      // Asked of the agent itself: the moment does not last.
      const isUnderWay = async () => (await client().status()).operation === words;
      await waitFor(isUnderWay, { what: words, withinMs: 60_000, everyMs: 10 });
      const refused = Object.entries(others).map(([command, options]) =>
        client()
          .run(command as keyof typeof others, options, () => {})
          .catch((error: unknown) => error),
      );
      for (const error of await Promise.all(refused))
        expect(error).toMatchObject({ code: 'OPERATION_UNDER_WAY', message: `${words} is under way` });
      aborter.abort();
      expect(await over).toBe('given up');
      await deployment.waitForStatus('its end', ({ operation }) => operation === null);
      expect((await deployment.waitUntilHealthy()).primary).toBe(primary);
      const told = () =>
        deployment
          .events()
          .some(({ kind, text }) => kind === 'given-up' && text.startsWith(`${words} was given up`));
      await waitFor(told, { what: 'the event', withinMs: 60_000 });
    },
  );

  test('an apply, Sentinels die: they have what the others have in the end, and so has the agent', async () => {
    await deployment.waitUntilHealthy();
    deployment.writeSpec({ sentinel: { failoverTimeout: '61s' }, redis: { maxMemory: '70mb' } });
    const [first, , third] = (await deployment.status()).sentinels;
    process.kill(first?.pid as number, 'SIGKILL');
    const running = start('apply', '--yes');
    await underWay(running);
    if (isAlive(third?.pid as number)) process.kill(third?.pid as number, 'SIGKILL');
    expect(await running.ended).toBe(0);
    await deployment.waitUntilHealthy();
    for (const index of [0, 1, 2]) {
      const sentinel = deployment.client(deployment.ports.sentinels + index);
      const fields = (await sentinel.call('SENTINEL', 'MASTER', 'test')) as string[];
      expect(fields[fields.indexOf('failover-timeout') + 1]).toBe('61000');
    }
    expect((await deployment.status()).drift).toEqual([]);
    const dry = await deployment.run('apply', [], ['--dry-run']);
    expect(dry.stdout).toContain('Everything is as the spec says');
  });
});
