/** A switchover of which one of the two members goes away: what became of the writes, and what is said. */
import { beforeEach, expect, test } from 'vitest';
import { TrialAgent } from '../../../test/support/trial-agent.ts';
import type { TrialServer } from '../../../test/support/trial-server.ts';
import { TrialWorld } from '../../../test/support/trial-servers.ts';
import { Operations } from '../operations.ts';
import { switchover } from './switchover.ts';

let world: TrialWorld;
let agent: TrialAgent;
let primary: TrialServer;

beforeEach(async () => {
  world = new TrialWorld();
  agent = new TrialAgent(world, 'host-1', ['host-1', 'host-2', 'host-3']);
  agent.loop.stop();
  await agent.settle();
  primary = world.server('redis-1');
  // The target has not everything yet, and is waited for.
  primary.offset = 2000;
});

/** @param meanwhile is called whenever nothing is on its way */
async function run(meanwhile: () => void): Promise<void> {
  const operation = await new Operations().begin('switchover', {});
  const observer = { lookAtAll: () => agent.lookAtAll(), lookWithin: (ms: number) => agent.lookWithin(ms) };
  const change = switchover({ deployment: agent, observer, report: () => {}, operation }, 'redis-2', 0);
  await world.settle(change, meanwhile);
}

const promotions = () => world.servers.map((server) => server.promotions);
const named = () => [...new Set(world.sentinels.map((sentinel) => sentinel.primary))];

test('the primary dies: everything is released at once, nobody is promoted', async () => {
  const change = run(() => {
    if (primary.paused) primary.alive = false;
  });
  await expect(change).rejects.toMatchObject({
    code: 'SWITCHOVER_FAILED',
    message: 'the primary redis-1 stopped answering while its writes were held',
    hint: expect.stringContaining('A lost primary is replaced without it'),
  });
  expect(agent.gateCalls).toEqual(['hold switchover', 'release']);
  expect(promotions()).toEqual([0, 0, 0]);
  expect(named()).toEqual(['10.1.0.1:6379']);
});

test('the target dies: everything is released, and it is told what happened, and what to do', async () => {
  const change = run(() => {
    if (primary.paused) world.server('redis-2').alive = false;
  });
  await expect(change).rejects.toMatchObject({
    code: 'SWITCHOVER_FAILED',
    message: 'redis-2 stopped answering before it had every write, so it was not made primary',
    hint: expect.stringContaining('Nothing was changed: the writes that were held go on at redis-1.'),
  });
  await agent.settle();
  expect([agent.gateCalls.at(-1), primary.paused]).toEqual(['release', false]);
  expect(promotions()).toEqual([0, 0, 0]);
});
