/** A switchover over servers and Sentinels in memory: what is done in which order, and what is undone when it fails. */
import { beforeEach, expect, test } from 'vitest';
import { giveUpAtEachMoment } from '../../../test/support/given-up.ts';
import { TrialAgent } from '../../../test/support/trial-agent.ts';
import type { TrialServer } from '../../../test/support/trial-server.ts';
import { TrialWorld } from '../../../test/support/trial-servers.ts';
import { waitFor } from '../../base/retry.ts';
import { Operations } from '../operations.ts';
import { type SwitchoverResult, switchover } from './switchover.ts';

let world: TrialWorld;
let agent: TrialAgent;
let primary: TrialServer;
let aborter: AbortController;
/** What the loop does while the switchover waits. */
let meanwhileAtRest = () => {};
let reports: string[] = [];
const hosts = ['host-1', 'host-2', 'host-3'];

async function begin(): Promise<void> {
  world = new TrialWorld();
  agent = new TrialAgent(world, 'host-1', hosts);
  primary = world.server('redis-1');
  aborter = new AbortController();
  meanwhileAtRest = () => {};
  reports = [];
  // What it would do beside is its own test's matter.
  agent.loop.stop();
  await agent.settle();
}
beforeEach(begin);

/** Runs one while messages go to and fro. @param meanwhile is called whenever nothing is on its way */
async function run(
  to: string | null = null,
  meanwhile = () => {},
  askedMsAgo = 0,
  onMessage = () => {},
): Promise<SwitchoverResult> {
  const operation = await new Operations().begin('switchover', { signal: aborter.signal });
  const rest = operation.rest.bind(operation);
  operation.rest = (wait) => {
    meanwhileAtRest();
    return rest(wait);
  };
  const observer = { lookAtAll: () => agent.lookAtAll(), lookWithin: (ms: number) => agent.lookWithin(ms) };
  const change = switchover(
    { deployment: agent, observer, report: (line: string) => void reports.push(line), operation },
    to,
    askedMsAgo,
  );
  return world.settle(change, meanwhile, onMessage);
}

const promotions = () => world.servers.map((server) => server.promotions);
const named = () => new Set(world.sentinels.map((sentinel) => sentinel.primary));

test('the replica that has the most takes over, every Sentinel names it, and the writes go on', async () => {
  world.server('redis-3').offset = 1001;
  primary.offset = 1001;
  const result = await run();
  expect(result).toMatchObject({ from: 'redis-1', to: 'redis-3' });
  expect(world.servers.map(({ role, follows }) => [role, follows])).toEqual([
    ['replica', 'redis-3'],
    ['replica', 'redis-3'],
    ['primary', null],
  ]);
  expect([...named()]).toEqual(['10.1.0.3:6379']);
  expect(agent.gateCalls).toEqual(['hold switchover', 'hold switchover', 'switch to redis-3']);
  expect([primary.paused, agent.selection]).toEqual([false, { member: 'redis-3', atMs: expect.any(Number) }]);
});

test('--to names the target; the primary itself stays', async () => {
  expect(await run('redis-2')).toMatchObject({ from: 'redis-1', to: 'redis-2' });
  // As its loop does when the Sentinels agree.
  agent.endSelection();
  expect(await run('redis-2')).toMatchObject({ from: 'redis-2', to: 'redis-2', heldMs: 0 });
  expect(promotions()).toEqual([0, 1, 0]);
});

test('nobody is promoted before it has every write', async () => {
  primary.offset = 2000;
  let looks = 0;
  await run('redis-2', () => {
    if (world.server('redis-2').offset === 2000) return;
    looks += 1;
    expect(primary.paused).toBe(true);
    expect(world.server('redis-2').promotions).toBe(0);
    if (looks > 3) world.server('redis-2').offset = 2000;
  });
  expect(looks).toBeGreaterThan(3);
  expect(promotions()).toEqual([0, 1, 0]);
});

test('an agent that dies before the turn leaves writes paused for half a second, however long the target takes', async () => {
  primary.offset = 2000;
  const sinceMs = world.clock.monotonicMs();
  await run('redis-2', () => {
    if (!primary.paused) return;
    const nowMs = world.clock.monotonicMs();
    expect(primary.pausedUntilMs).toBeGreaterThan(nowMs);
    expect(primary.pausedUntilMs - nowMs).toBeLessThanOrEqual(500);
    if (nowMs - sinceMs > 900) world.server('redis-2').offset = 2000;
  });
  expect(promotions()).toEqual([0, 1, 0]);
  // The gates, too, are asked again for as long as it takes.
  expect(agent.gateCalls.filter((call) => call === 'hold switchover').length).toBeGreaterThan(2);
});

test('a pause that was over while this agent stood still: what was written meanwhile is waited for', async () => {
  const target = world.server('redis-2');
  const pause = primary.pause.bind(primary);
  let isLate = true;
  primary.pause = (nowMs, forMs) => {
    // The target had everything when it was asked.
    if (isLate && forMs > 1000) {
      isLate = false;
      primary.offset += 100;
    }
    pause(nowMs, forMs);
  };
  await run('redis-2', () => {
    if (isLate || target.offset === primary.offset) return;
    expect(target.promotions).toBe(0);
    target.offset = primary.offset;
  });
  expect([isLate, target.offset]).toEqual([false, 1100]);
  expect(promotions()).toEqual([0, 1, 0]);
});

test('given up while its writes are waited for: everything is released, and it says why', async () => {
  primary.offset = 2000;
  const change = run(null, () => {
    if (primary.paused) aborter.abort(new Error('the agent stops'));
  });
  await expect(change).rejects.toThrow('the agent stops');
  expect(agent.gateCalls).toEqual(['hold switchover', 'release']);
  expect(await world.until(() => !primary.paused, 100)).toBe(true);
  expect(promotions()).toEqual([0, 0, 0]);
});

test('given up at whatever moment, it says what became of it', async () => {
  const givenUp = await giveUpAtEachMoment('a switchover', {
    begin: async () => {
      await begin();
      return aborter;
    },
    change: (onMessage) => run('redis-2', undefined, 0, onMessage),
    check: async (end, _result, moment) => {
      expect(await world.until(() => !primary.paused, 100)).toBe(true);
      expect(promotions(), `moment ${moment}`).toEqual([0, end === 'done' ? 1 : 0, 0]);
    },
  });
  expect(givenUp).toBeGreaterThan(3);
});

test.each(['held', 'waited for'])(
  'a primary that is stopped while its writes are %s: given up without its answer, as soon as that is known',
  async (when) => {
    primary.offset = 2000;
    const [gate] = agent.gates;
    if (when === 'held' && gate) {
      const { hold } = gate.adapter;
      gate.adapter.hold = (reason) => {
        primary.hangs = true;
        return hold(reason);
      };
    }
    let idles = 0;
    const change = run(null, () => {
      if (primary.paused) primary.hangs = true;
      if (primary.hangs && agent.gateCalls.length > 0) idles += 1;
      if (idles === 5) aborter.abort(new Error('the primary was stopped by a signal'));
    });
    const sinceMs = world.clock.monotonicMs();
    await expect(change).rejects.toThrow('the primary was stopped by a signal');
    expect(world.clock.monotonicMs() - sinceMs).toBeLessThan(1000);
    expect(agent.gateCalls).toEqual(['hold switchover', 'release']);
    expect(promotions()).toEqual([0, 0, 0]);
  },
);

test('a target that carries out later what it was told is primary to nobody: the writes go on at the old one', async () => {
  const target = world.server('redis-2');
  target.hangsWhenPromoted = true;
  await expect(run('redis-2')).rejects.toMatchObject({
    code: 'SWITCHOVER_FAILED',
    message: 'redis-2 did not answer when it was to be made primary, and the Sentinels do not name it',
    hint: expect.stringContaining('what became of redis-2'),
  });
  expect(agent.gateCalls).toEqual(['hold switchover', 'hold switchover', 'hold switchover', 'release']);
  target.wake();
  await agent.settle();
  expect(promotions()).toEqual([0, 1, 0]);
  expect([...named()]).toEqual(['10.1.0.1:6379']);
});

test('a target whose answer came too late is primary when the Sentinels name it, and the command says so', async () => {
  const target = world.server('redis-2');
  target.hangsWhenPromoted = true;
  // It wakes before anybody votes anew.
  const change = run('redis-2', () => {
    if (target.hangs && agent.selection === null) target.wake();
  });
  const [gate] = agent.gates;
  const { hold } = gate!.adapter;
  gate!.adapter.hold = async (reason) => {
    if (target.hangs)
      await waitFor(() => named().has('10.1.0.2:6379'), { what: 'its word', withinMs: 250, everyMs: 1 });
    return hold(reason);
  };
  expect(await change).toMatchObject({ from: 'redis-1', to: 'redis-2' });
  expect([...named()]).toEqual(['10.1.0.2:6379']);
});

test('a primary that is replaced while calm is waited for is not replaced once more', async () => {
  const replicas = [world.server('redis-2'), world.server('redis-3')];
  for (const replica of replicas) replica.follows = null;
  let idles = 0;
  const change = run(null, () => {
    idles += 1;
    if (idles !== 5) return;
    // An agent of another host does it.
    for (const server of world.servers) server.replicaOf(server.place.id === 'redis-2' ? null : 'redis-2');
    for (const sentinel of world.sentinels) {
      const [colleague] = sentinel.colleagues;
      world.sentinelReply(sentinel, [
        ...['PUBLISH', '__sentinel__:hello'],
        [...Object.values(colleague ?? {}), 1, 'trial', '10.1.0.2', 6379, 1].join(','),
      ]);
    }
  });
  await expect(change).rejects.toMatchObject({
    code: 'SWITCHOVER_REFUSED',
    message: 'no switchover: redis-1 was primary when it was asked for, and now redis-2 is',
  });
  expect(promotions()).toEqual([0, 1, 0]);
  expect(agent.gateCalls).toEqual([]);
});

test('Sentinels that vote for nobody: it is refused, and nothing was held', async () => {
  for (const sentinel of world.sentinels) world.silent.add(sentinel.id);
  await expect(run()).rejects.toMatchObject({ code: 'SWITCHOVER_FAILED' });
  expect([agent.gateCalls, promotions()]).toEqual([[], [0, 0, 0]]);
}, 30_000);

test('a primary that was replaced after the command began is not replaced once more, unless the target is named', async () => {
  agent.elections.noteNamed('redis-1');
  await run('redis-2');
  agent.endSelection();
  const before = promotions();
  await expect(run(null, () => {}, 600)).rejects.toMatchObject({
    code: 'SWITCHOVER_REFUSED',
    message: 'no switchover: redis-1 was primary when it was asked for, and now redis-2 is',
  });
  expect(promotions()).toEqual(before);
  expect(await run('redis-3', () => {}, 600)).toMatchObject({ from: 'redis-2', to: 'redis-3' });
});

test('a target that is down when it is named is started again meanwhile, and takes over when it is in sync', async () => {
  const target = world.server('redis-3');
  target.alive = false;
  meanwhileAtRest = () => {
    target.alive = true;
  };
  expect(await run('redis-3')).toMatchObject({ from: 'redis-1', to: 'redis-3' });
  expect(promotions()).toEqual([0, 0, 1]);
});

test('who has no room to write is not made primary: the next one is, and nobody when none has', async () => {
  world.server('redis-3').offset = 1001;
  primary.offset = 1001;
  world.server('redis-3').storeFails = true;
  await expect(run('redis-3')).rejects.toMatchObject({
    code: 'SWITCHOVER_REFUSED',
    message: "no switchover: redis-3 can't write its AOF",
  });
  world.server('redis-2').storeFails = true;
  const sinceMs = performance.now();
  await expect(run()).rejects.toMatchObject({
    code: 'SWITCHOVER_REFUSED',
    message: "no switchover: redis-2 can't write its AOF; redis-3 can't write its AOF",
  });
  // Waiting makes no room.
  expect(performance.now() - sinceMs).toBeLessThan(10_000);
  expect([agent.gateCalls, promotions()]).toEqual([[], [0, 0, 0]]);
  world.server('redis-2').storeFails = false;
  world.server('redis-2').offset = 1001;
  expect(await run()).toMatchObject({ from: 'redis-1', to: 'redis-2' });
});

test('Sentinels in an epoch that nobody can be elected in: one is asked to fail over, the others follow at once, and the wait is true', async () => {
  for (const sentinel of world.sentinels) sentinel.currentEpoch = 2 ** 60;
  const target = world.server('redis-2');
  const change = run(null, () => {
    if (agent.askedToFailOver.length === 1 && target.role === 'replica') target.replicaOf(null);
    if (world.servers.filter(({ follows }) => follows === 'redis-2').length < 2) return;
    for (const sentinel of world.sentinels) {
      const [colleague] = sentinel.colleagues;
      const epoch = sentinel.configEpoch + 1;
      world.sentinelReply(sentinel, [
        ...['PUBLISH', '__sentinel__:hello'],
        [...Object.values(colleague ?? {}), epoch, 'trial', '10.1.0.2', 6379, epoch].join(','),
      ]);
    }
  });
  const result = await change;
  expect(result).toMatchObject({ from: 'redis-1', to: 'redis-2' });
  expect(result.heldMs).toBeGreaterThan(0);
  expect(agent.askedToFailOver).toHaveLength(1);
  expect(agent.said.filter(({ kind }) => kind === 'failover-asked')).toEqual([
    expect.objectContaining({
      text: expect.stringContaining('in an epoch far above any that this agent knows of'),
    }),
  ]);
  expect(world.servers.map(({ follows }) => follows)).toEqual(['redis-2', null, 'redis-2']);
  expect(primary.paused).toBe(false);
});

test('in such an epoch --to is refused with the reason, and nothing was held', async () => {
  for (const sentinel of world.sentinels) sentinel.currentEpoch = 2 ** 60;
  await expect(run('redis-2')).rejects.toMatchObject({
    code: 'SWITCHOVER_REFUSED',
    message: expect.stringContaining('in an epoch far above any that this agent knows of'),
  });
  expect([agent.gateCalls, agent.askedToFailOver, promotions()]).toEqual([[], [], [0, 0, 0]]);
});

/** Waiting would be in vain: it is refused without. */
async function refusedAtOnce(to: string | null, refusal: object): Promise<void> {
  const sinceMs = world.clock.monotonicMs();
  await expect(run(to)).rejects.toMatchObject({ code: 'SWITCHOVER_REFUSED', ...refusal });
  expect(world.clock.monotonicMs() - sinceMs).toBeLessThan(2000);
  expect([agent.gateCalls, promotions()]).toEqual([[], [0, 0, 0]]);
}

test('a priority of 0 everywhere is refused at once, with what there is to do; --to names one all the same', async () => {
  for (const id of ['redis-2', 'redis-3']) world.server(id).priority = 0;
  await refusedAtOnce(null, {
    message: 'no switchover: redis-2 has replica-priority 0; redis-3 has replica-priority 0',
    hint: expect.stringContaining('CONFIG SET replica-priority 100'),
  });
  expect(await run('redis-3')).toMatchObject({ from: 'redis-1', to: 'redis-3' });
});

test('a follower with another masterauth, or that may not be told to follow, is named before anything is changed', async () => {
  primary.masterAuth = 'changed';
  await refusedAtOnce('redis-2', {
    message:
      'no switchover: redis-1 could not follow another primary: somebody changed its masteruser or masterauth',
    hint: expect.stringContaining('holdfast apply'),
  });
  primary.masterAuth = world.server('redis-3').masterAuth;
  // The target's own is of no matter as long as it is primary.
  world.server('redis-2').masterAuth = 'changed';
  world.server('redis-3').refuses = true;
  await refusedAtOnce('redis-2', {
    message: expect.stringContaining('redis-3 does not let the agent say whom it follows (NOPERM'),
  });
});

test('a replica that has no link and could not log in is not waited for, and the way out is named', async () => {
  const unlinked = (id: string) => Object.assign(world.server(id), { noLink: true, masterAuth: 'changed' });
  unlinked('redis-2');
  await refusedAtOnce('redis-2', {
    message:
      "no switchover: redis-2 has no link to its primary: somebody changed its masteruser or masterauth, so that it can't log in there",
    hint: expect.stringContaining('holdfast apply'),
  });
  unlinked('redis-3');
  await refusedAtOnce(null, { message: expect.stringMatching(/redis-2 has no link.*; redis-3 has no link/) });
});

test('a member that has no link already keeps nobody: the others move on without it, and it is named', async () => {
  world.server('redis-3').noLink = true;
  world.server('redis-3').masterAuth = 'changed';
  expect(await run('redis-2')).toMatchObject({ from: 'redis-1', to: 'redis-2' });
  expect(reports).toContain('warning: redis-3 had no link to the primary before, and has none now');
});

test('a target that is busy is waited for, and nothing is held meanwhile', async () => {
  const target = world.server('redis-2');
  target.runsScript = true;
  meanwhileAtRest = () => {
    expect(agent.gateCalls).toEqual([]);
    target.runsScript = false;
  };
  expect(await run('redis-2')).toMatchObject({ from: 'redis-1', to: 'redis-2' });
  expect(target.runsScript).toBe(false);
});
