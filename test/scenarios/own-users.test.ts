/** Somebody takes holdfast's own users away at a member: status says so, and what it shows of that member is old. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;
beforeAll(async () => {
  deployment = await TestDeployment.create();
  deployment.writeSpec({ gate: { durability: 'replicated', hold: '2s' } });
  await deployment.start();
  await deployment.waitUntilHealthy();
});
afterAll(() => deployment?.destroy());

const acl = (member: number, ...words: string[]) =>
  deployment.client(deployment.ports.members + member).call('ACL', ...words);

test.each([
  ['a replica', 1],
  ['the primary', 0],
])('the agent’s user at %s: what is known of it is old, with its age and why', async (_, index) => {
  const id = `redis-${index + 1}`;
  await acl(index, 'DELUSER', 'holdfast-agent');
  const { members, problems } = await deployment.waitForStatus(
    'it to be known as old',
    ({ state, members: now }) => state === 'degraded' && now[index]?.state === 'unreachable',
  );
  const { role, lagBytes, linkUp, reason, seenAgeMs } = members[index] ?? {};
  expect({ role, lagBytes, linkUp }).toEqual({ role: null, lagBytes: null, linkUp: false });
  expect(seenAgeMs).toBeGreaterThanOrEqual(0);
  expect(reason).toContain('does not let this agent ask how it is (WRONGPASS');
  expect(problems.find((each) => each.startsWith(`${id} is unreachable: `))).toContain('ACL LOAD');
  await acl(index, 'LOAD');
  await deployment.waitUntilHealthy();
});

test('the gate’s user at the primary: it says that it confirms nothing, also when nobody writes, until it can again', async () => {
  const set = () => deployment.client(deployment.ports.gate).call('SET', 'k', 'v');
  await acl(0, 'DELUSER', 'holdfast-gate');
  await expect(set()).rejects.toThrow(/^UNCERTAIN /);
  const isProblem = (text: string) => text.startsWith('gate-1: cannot confirm writes at redis-1: ');
  const { problems } = await deployment.waitForStatus(
    'the gate to say so',
    ({ state, problems: now }) => state === 'degraded' && now.some(isProblem),
  );
  expect(problems.find(isProblem)).toContain('WRONGPASS');
  await acl(0, 'LOAD');
  await deployment.waitUntilHealthy();
  expect(await set()).toBe('OK');
});
