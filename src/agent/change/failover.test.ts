import { beforeEach, expect, test } from 'vitest';
import { giveUpAtEachMoment } from '../../../test/support/given-up.ts';
import { TrialAgent } from '../../../test/support/trial-agent.ts';
import { TrialWorld } from '../../../test/support/trial-servers.ts';
import { Operations } from '../operations.ts';
import { forceFailover } from './failover.ts';

let world: TrialWorld;
let agent: TrialAgent;
let aborter: AbortController;

async function begin(): Promise<void> {
  world = new TrialWorld();
  aborter = new AbortController();
  agent = new TrialAgent(world, 'host-1', ['host-1', 'host-2', 'host-3']);
  // What it would do beside is its own test's matter.
  agent.loop.stop();
  await agent.settle();
}
beforeEach(begin);

/** @param meanwhile is called whenever nothing is on its way */
async function run(
  meanwhile = () => {},
  askedMsAgo = 0,
  onMessage = () => {},
  to: string | null = null,
): ReturnType<typeof forceFailover> {
  const operation = await new Operations().begin('failover', { signal: aborter.signal });
  const observer = { lookWithin: (ms: number) => agent.lookWithin(ms) };
  const change = forceFailover(
    { deployment: agent, observer, report: () => {}, operation },
    { to, askedMsAgo },
  );
  return world.settle(change, meanwhile, onMessage);
}

const promotions = () => world.servers.reduce((sum, server) => sum + server.promotions, 0);

test('a primary that lives is replaced without a drain', async () => {
  world.server('redis-1').offset = 5000;
  expect(await run()).toMatchObject({ from: 'redis-1', to: 'redis-2' });
  expect(promotions()).toBe(1);
  expect(agent.gateCalls).toEqual(['switch to redis-2']);
});

test('somebody says by whom: that one takes over, though another one would be chosen', async () => {
  world.server('redis-2').offset = 5000;
  expect(await run(undefined, 0, undefined, 'redis-3')).toMatchObject({ from: 'redis-1', to: 'redis-3' });
});

test('by the one that is primary, or one that does not answer: refused, and nothing is done', async () => {
  await expect(run(undefined, 0, undefined, 'redis-1')).rejects.toThrow('redis-1 is named primary already');
  expect(promotions()).toBe(0);
  world.server('redis-2').hangs = true;
  await expect(run(undefined, 0, undefined, 'redis-2')).rejects.toThrow(
    /redis-2 (does not answer|could not be made primary)/,
  );
});

test('given up at whatever moment, it says what became of it', async () => {
  const givenUp = await giveUpAtEachMoment('a failover', {
    begin: async () => {
      await begin();
      return aborter;
    },
    change: (onMessage) => run(undefined, 0, onMessage),
    check: (end, result, moment) => {
      if (end === 'done') expect(result?.to).toBe('redis-2');
      expect(promotions(), `moment ${moment}`).toBe(end === 'done' ? 1 : 0);
    },
  });
  expect(givenUp).toBeGreaterThan(0);
});

test('not elected: it says soon who voted how, and nothing has changed', async () => {
  world.silent.add('sentinel-1').add('sentinel-2');
  const startedMs = performance.now();
  await expect(run()).rejects.toMatchObject({
    code: 'FAILOVER_REFUSED',
    message: expect.stringMatching(/not elected in epoch \d+: too few votes \(.*sentinel-1 silent.*\)/),
  });
  // Four times the time for votes, and a pause after each; it was twenty seconds once.
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  expect([promotions(), agent.gateCalls]).toEqual([0, []]);
}, 30_000);

test('someone else is elected meanwhile and replaces it: that is the failover that was asked for', async () => {
  for (const sentinel of world.sentinels) sentinel.vote('10.1.0.1:6379', 1, 'e'.repeat(40), 0);
  let hellos = 0;
  const result = run(() => {
    if (hellos++ !== 2) return;
    world.server('redis-3').replicaOf(null);
    for (const sentinel of world.sentinels) {
      const [colleague] = sentinel.colleagues;
      world.sentinelReply(sentinel, [
        ...['PUBLISH', '__sentinel__:hello'],
        [...Object.values(colleague ?? {}), 1, 'trial', '10.1.0.3', 6379, 1].join(','),
      ]);
    }
  });
  expect(await result).toMatchObject({ from: 'redis-1', to: 'redis-3' });
  expect(promotions()).toBe(1);
});

test('no replica is fit: no vote is taken', async () => {
  for (const id of ['redis-2', 'redis-3']) world.server(id).alive = false;
  await expect(run()).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
  expect(world.sentinels.map(({ leader }) => leader)).toEqual([null, null, null]);
});

test('a primary that was replaced after the command began is not replaced once more', async () => {
  agent.elections.noteNamed('redis-1');
  await run();
  agent.endSelection();
  expect(await run(() => {}, 600)).toEqual({ from: 'redis-1', to: 'redis-2', replacedBefore: true });
  expect(promotions()).toBe(1);
  expect(await run()).toMatchObject({ from: 'redis-2' });
});

test('a primary that hangs is not waited for', async () => {
  const hung = agent.member('redis-1');
  let asked = 0;
  hung.look = () => {
    asked += 1;
    return new Promise(() => {});
  };
  // It never answers: what waited for it would never end.
  expect(await run()).toMatchObject({ from: 'redis-1', to: 'redis-2' });
  expect(asked).toBeGreaterThan(0);
}, 30_000);
