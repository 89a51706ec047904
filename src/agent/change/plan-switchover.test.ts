import { expect, test } from 'vitest';
import { TrialAgent } from '../../../test/support/trial-agent.ts';
import { TrialWorld } from '../../../test/support/trial-servers.ts';
import { refuseRestartInVain } from './plan-switchover.ts';

test('a restart of all is refused while one of them could not log in at its primary, linked or not', async () => {
  const world = new TrialWorld();
  const agent = new TrialAgent(world, 'host-1', ['host-1', 'host-2', 'host-3']);
  agent.loop.stop();
  await agent.settle();
  const all = ['redis-1', 'redis-2', 'redis-3'];
  const refusal = (...restarted: string[]) => {
    const asked = agent.lookAtAll().then(() => refuseRestartInVain(agent, restarted));
    return world.settle(asked.catch((error: unknown) => error));
  };
  expect(await refusal(...all)).toBeUndefined();
  // Linked as yet: only the switchover at the end would come to grief.
  world.server('redis-3').masterAuth = 'changed';
  expect(await refusal('redis-2', 'redis-3')).toBeUndefined();
  expect(await refusal(...all)).toMatchObject({
    code: 'SWITCHOVER_REFUSED',
    message: expect.stringContaining('redis-3 could not follow another primary'),
  });
  world.server('redis-3').noLink = true;
  for (const restarted of [all, ['redis-2', 'redis-3']])
    expect(await refusal(...restarted)).toMatchObject({
      code: 'SWITCHOVER_REFUSED',
      message: expect.stringMatching(
        /^no restart: no link to the primary at redis-3: .*masteruser or masterauth/,
      ),
      hint: expect.stringContaining('holdfast apply'),
    });
  expect(await refusal('redis-2')).toBeUndefined();
});
