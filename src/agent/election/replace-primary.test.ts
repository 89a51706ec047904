import { beforeEach, expect, test } from 'vitest';
import { TrialAgent } from '../../../test/support/trial-agent.ts';
import { TrialWorld } from '../../../test/support/trial-servers.ts';
import { firstRecord } from '../../topology/in-sync-record.ts';
import { replacePrimary } from './replace-primary.ts';

let world: TrialWorld;
let agent: TrialAgent;

beforeEach(async () => {
  world = new TrialWorld();
  agent = new TrialAgent(world, 'host-1', ['host-1', 'host-2', 'host-3']);
  agent.loop.stop();
  await agent.settle();
});

/** The primary is killed; redis-3 is slow to read what it was sent, and has more than redis-2 then. */
async function crash(looks: number) {
  world.server('redis-2').offset = 1000;
  Object.assign(world.server('redis-3'), { offset: 900, unread: { bytes: 200, looks } });
  await world.settle(agent.lookAtAll(), () => {});
  world.server('redis-1').alive = false;
  agent.member('redis-1').diedAtMs = world.clock.monotonicMs();
  return world.settle(replaceAgain(), () => {});
}

/** As the loop does: votes that were too old by then are asked for again. */
async function replaceAgain(): ReturnType<typeof replacePrimary> {
  try {
    return await replacePrimary(agent, 'redis-1');
  } catch (error) {
    if ((error as { code?: string }).code !== 'ELECTION_LAPSED') throw error;
    return replacePrimary(agent, 'redis-1');
  }
}

test.each([1, 60, 140])(
  'replicated: a replica that needs %i looks until it has read all is waited for',
  async (looks) => {
    agent.spec.gate.durability = 'replicated';
    expect(await crash(looks)).toEqual({ kind: 'promoted', member: 'redis-3' });
  },
);

test('replicated: one that never ends reading is not waited for without end', async () => {
  agent.spec.gate.durability = 'replicated';
  const startedMs = world.clock.monotonicMs();
  expect(await crash(100_000)).toEqual({ kind: 'promoted', member: 'redis-2' });
  expect(world.clock.monotonicMs() - startedMs).toBeLessThan(2000);
});

test('async: nobody is waited for longer than a tenth of a second', async () => {
  const startedMs = world.clock.monotonicMs();
  expect(await crash(60)).toEqual({ kind: 'promoted', member: 'redis-2' });
  expect(world.clock.monotonicMs() - startedMs).toBeLessThan(200);
});

test('replicated: one that answered nobody already before is not waited for', async () => {
  agent.spec.gate.durability = 'replicated';
  const silent = agent.member('redis-3');
  const seen = { ...silent.view(), reachable: false };
  Object.assign(silent, { look: () => new Promise(() => {}), view: () => seen });
  const startedMs = world.clock.monotonicMs();
  expect(await world.settle(replacePrimary(agent, 'redis-1'), () => {})).toEqual({
    kind: 'promoted',
    member: 'redis-2',
  });
  expect(world.clock.monotonicMs() - startedMs).toBeLessThan(200);
});

/** All three have the same, and are in sync, in an epoch that the Sentinels have. */
function standalone(): void {
  agent.spec.gate.durability = 'replicated';
  agent.spec.mirror = { ack: 'quorum' };
  const inSync = { ...firstRecord('redis-1', 0), in: world.servers.map(({ place }) => place.id) };
  for (const server of world.servers) Object.assign(server, { inSync, offset: 1000 });
}

test.each([1, 2, 3, 4, 6, 8, 12])(
  'quorum: what the lost one does yet reaches nobody behind what they have said of themselves (at look %i)',
  async (looks) => {
    standalone();
    await world.settle(agent.lookAtAll(), () => {});
    // It hangs for this agent, and its stream to redis-3 does not: a gate counts redis-3, and says OK.
    world.server('redis-1').hangs = true;
    world.server('redis-3').unread = { bytes: 200, looks };
    const done = await world.settle(replacePrimary(agent, 'redis-1'), () => {});
    const chosen = world.server(done.kind === 'promoted' ? done.member : '');
    for (let left = 20; left > 0; left--) world.server('redis-3').readOn();
    expect(chosen.offset).toBe(Math.max(...world.servers.slice(1).map(({ offset }) => offset)));
  },
);

/** Every Sentinel answers what it is asked of itself so long after that. */
function slowSentinels(ms: number): void {
  for (const { watch } of agent.sentinels) {
    const { look } = watch;
    watch.look = () =>
      new Promise((resolve) => {
        world.clock.after(ms, () => void look.call(watch).then(resolve));
      });
  }
}

test('quorum: those that voted may take as long to say what they know as the votes are good for', async () => {
  standalone();
  await world.settle(agent.lookAtAll(), () => {});
  slowSentinels(150);
  expect(await world.settle(replacePrimary(agent, 'redis-1'), () => {})).toMatchObject({ kind: 'promoted' });
});

test('quorum: when they take longer the agent stands again, and soon: votes that cost nothing', async () => {
  standalone();
  await world.settle(agent.lookAtAll(), () => {});
  slowSentinels(1000);
  expect(await world.settle(replacePrimary(agent, 'redis-1'), () => {})).toMatchObject({
    kind: 'not-elected',
    why: expect.stringMatching(/too few of those that voted said in time/),
    againInMs: 100,
  });
});

test('quorum: one that was not fenced in time does not count, and without it too few are heard', async () => {
  standalone();
  await world.settle(agent.lookAtAll(), () => {});
  Object.assign(agent.member('redis-3').watch.client, { fence: () => new Promise(() => {}) });
  await expect(world.settle(replacePrimary(agent, 'redis-1'), () => {})).rejects.toThrow('no replica is fit');
  expect(world.server('redis-2').promotions).toBe(0);
});
