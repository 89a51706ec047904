/** Who may be promoted: a replica that is in sync, and never one that an operator took out. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;

beforeAll(async () => {
  deployment = await TestDeployment.up({ agent: { hangAfter: '2s' } });
  await deployment.waitUntilHealthy();
});
afterAll(() => deployment?.destroy());

async function priorityOf(port: number): Promise<string> {
  const client = deployment.client(port, { enableReadyCheck: false });
  try {
    return ((await client.config('GET', 'replica-priority')) as string[])[1] ?? '';
  } finally {
    client.disconnect();
  }
}

const becomes = (port: number, priority: string) =>
  waitFor(async () => (await priorityOf(port)) === priority, {
    what: `priority ${priority} at ${port}`,
    withinMs: 60_000,
  });

async function pidOf(id: string): Promise<number> {
  const { members } = await deployment.status();
  return members.find((member) => member.id === id)?.pid as number;
}

/** Kills a member, and waits until its next process answers. */
async function restarted(id: string, port: number): Promise<void> {
  const pid = await pidOf(id);
  process.kill(pid, 'SIGKILL');
  await waitFor(() => !isAlive(pid), { what: `${id} to be gone`, withinMs: 60_000 });
  await waitFor(() => priorityOf(port), { what: `${id} to answer again`, withinMs: 60_000 });
}

test('every member that is in sync may be promoted', async () => {
  const { members } = await deployment.status();
  for (const { port } of members) await becomes(port, '100');
});

test('a replica that was just restarted and has never been in sync is not promoted, though the others hang', async () => {
  const primary = await deployment.primary();
  const { members } = await deployment.status();
  const [fresh, other] = members.filter(({ role }) => role === 'replica');
  if (!fresh || !other) throw new Error('two replicas are needed');
  const onPrimary = deployment.client(primary.port);
  // Whoever has to copy everything waits for it.
  await onPrimary.config('SET', 'repl-diskless-sync', 'yes');
  await onPrimary.config('SET', 'repl-diskless-sync-delay', '30');
  await onPrimary.config('SET', 'repl-backlog-size', '16kb');
  const pid = await pidOf(fresh.id);
  process.kill(pid, 'SIGSTOP');
  const pipeline = onPrimary.pipeline();
  for (let i = 0; i < 2000; i++) pipeline.set(`k:${i}`, 'x'.repeat(100));
  await pipeline.exec();
  await restarted(fresh.id, fresh.port);
  expect(await priorityOf(fresh.port)).toBe('0');
  const hung = [await pidOf(primary.id), await pidOf(other.id)];
  for (const each of hung) process.kill(each, 'SIGSTOP');
  await waitFor(() => !hung.some(isAlive), { what: 'the agent to replace what hangs', withinMs: 60_000 });
  await deployment.waitUntilHealthy(60_000);
  const promoted = deployment.events().filter(({ kind }) => kind === 'promoted');
  expect(promoted.map(({ subject }) => subject)).not.toContain(fresh.id);
  for (const { port } of members) expect(await deployment.client(port).dbsize()).toBe(2000);
  for (const { port } of members) await becomes(port, '100');
});

test('an operator’s 0 stays: over a restart of the server and of the agent', async () => {
  const { members } = await deployment.waitUntilHealthy();
  const [mine] = members.filter(({ role }) => role === 'replica');
  if (!mine) throw new Error('a replica is needed');
  await deployment.client(mine.port).config('SET', 'replica-priority', '0');
  // Seen by the agent.
  const lookedAt = performance.now();
  await waitFor(() => performance.now() - lookedAt > 2500, {
    what: 'two looks',
    withinMs: 60_000,
    everyMs: 100,
  });
  await restarted(mine.id, mine.port);
  await deployment.waitUntilHealthy();
  expect(await priorityOf(mine.port)).toBe('0');
  const agent = deployment.agentPid();
  process.kill(agent, 'SIGKILL');
  await waitFor(() => !isAlive(agent), { what: 'the agent to be gone', withinMs: 60_000 });
  await deployment.start();
  await deployment.waitUntilHealthy();
  await deployment.json('switchover');
  expect(await priorityOf(mine.port)).toBe('0');
  await deployment.client(mine.port).config('SET', 'replica-priority', '100');
});

test('an agent that dies leaves a replica held back: the next one puts it back', async () => {
  const { members } = await deployment.waitUntilHealthy();
  const [held] = members.filter(({ role }) => role === 'replica');
  if (!held) throw new Error('a replica is needed');
  const agent = deployment.agentPid();
  const pid = await pidOf(held.id);
  process.kill(agent, 'SIGSTOP');
  process.kill(pid, 'SIGKILL');
  await waitFor(() => !isAlive(pid), { what: 'the replica to be gone', withinMs: 60_000 });
  process.kill(agent, 'SIGKILL');
  await waitFor(() => !isAlive(agent), { what: 'the agent to be gone', withinMs: 60_000 });
  await deployment.start();
  await deployment.waitUntilHealthy();
  await becomes(held.port, '100');
});
