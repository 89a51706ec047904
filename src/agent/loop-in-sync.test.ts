/** The loop's steps for who is in sync with a standalone member that leads. */
import { expect, test } from 'vitest';
import { TrialAgent } from '../../test/support/trial-agent.ts';
import { TrialWorld } from '../../test/support/trial-servers.ts';
import { firstRecord, type InSyncRecord, withLeaving, withoutLeaving } from '../topology/in-sync-record.ts';

test('who is in sync, when that can not be changed, is tried again after a pause, and told when it is', async () => {
  const world = new TrialWorld();
  const agent = new TrialAgent(world, 'host-1');
  Object.assign(agent.spec, { mirror: { ack: 'all' } });
  let record: InSyncRecord = { ...firstRecord('redis-1', 0), in: ['redis-1', 'redis-2', 'redis-3'] };
  const view = agent.view.bind(agent);
  agent.view = () => {
    const { members, ...rest } = view();
    return { ...rest, members: members.map((each) => ({ ...each, inSync: record })) };
  };
  let isBroken = true;
  let tries = 0;
  agent.failsToAct = (step) => {
    if (step.kind !== 'in-sync-leaves') return false;
    tries += 1;
    // It comes as far as its first step each time, in an epoch of its own.
    record = withLeaving(step.before, step.leaving, tries);
    if (isBroken) return true;
    record = { ...withoutLeaving(record), epoch: 0 };
    return false;
  };
  world.server('redis-2').alive = false;
  agent.died('redis-2');
  await world.until(
    () => false,
    50,
    () => agent.loop.wake(),
  );
  // That it leaves, and that this is brought to its end.
  expect(tries).toBe(2);
  expect(agent.said.map(({ kind }) => kind)).not.toContain('in-sync-left');
  isBroken = false;
  const isTold = () => agent.said.some(({ kind }) => kind === 'in-sync-left');
  expect(await world.until(isTold, 2000, () => agent.loop.wake())).toBe(true);
  const told = agent.said.filter(({ kind }) => kind === 'in-sync-left');
  expect(told).toEqual([{ ...told[0], text: expect.stringMatching(/^redis-2 was being left out/) }]);
  expect([tries, record.in]).toEqual([3, ['redis-1', 'redis-3']]);
  agent.loop.stop();
});
