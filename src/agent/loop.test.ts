/**
 * The loop, the wire of an election and the turn of the elected, over servers and Sentinels in memory: a crash with one
 * agent or two, an agent that dies at each of its steps, Sentinels that answer nobody or are in TILT, epochs that move.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TrialAgent } from '../../test/support/trial-agent.ts';
import { TrialWorld } from '../../test/support/trial-servers.ts';

async function trial(
  hosts: readonly string[],
  latencies?: readonly number[],
): Promise<{ world: TrialWorld; agents: TrialAgent[] }> {
  const world = new TrialWorld(latencies);
  const agents = hosts.map((host) => new TrialAgent(world, host));
  for (const agent of agents) await agent.settle();
  return { world, agents };
}

function crash(world: TrialWorld, agents: readonly TrialAgent[]): void {
  world.server('redis-1').alive = false;
  for (const agent of agents) agent.died('redis-1');
}

const promotions = ({ servers }: TrialWorld) => servers.reduce((sum, server) => sum + server.promotions, 0);

/** Every Sentinel that answers names the one server that acts as primary. */
function isOver({ servers, sentinels, silent }: TrialWorld): boolean {
  const primaries = servers.filter(({ alive, role }) => alive && role === 'primary');
  const [primary] = primaries;
  const names = sentinels.filter(({ id }) => !silent.has(id)).map((each) => each.primary);
  return primaries.length === 1 && names.every((name) => name === `${primary?.place.address}:6379`);
}

/** Lets time pass; the agents look as often as they would. */
async function untilOver(
  world: TrialWorld,
  agents: readonly TrialAgent[],
  withinMs: number,
): Promise<boolean> {
  const due = { gossip: 2000, odown: 3000, look: 0 };
  const sinceMs = world.clock.monotonicMs();
  const isDue = (what: keyof typeof due, everyMs: number) => {
    if (world.clock.monotonicMs() - sinceMs < due[what]) return false;
    due[what] += everyMs;
    return true;
  };
  return world.until(
    () => isOver(world),
    withinMs,
    () => {
      if (isDue('gossip', 2000)) world.gossip();
      if (isDue('odown', 3000)) world.agreeDown('redis-1');
      if (isDue('look', 250)) for (const agent of agents) if (agent.alive) agent.loop.wake();
    },
  );
}

test('a crash: the owner of the process is elected, promotes the better replica, and everyone follows', async () => {
  const { world, agents } = await trial(['host-1', 'host-2']);
  world.server('redis-3').offset += 1;
  crash(world, agents);
  expect(await untilOver(world, agents, 300)).toBe(true);
  expect(world.server('redis-3')).toMatchObject({ role: 'primary', promotions: 1 });
  await world.until(
    () => world.server('redis-1').alive,
    2000,
    () => agents[0]?.loop.wake(),
  );
  expect(world.servers.map(({ follows }) => follows)).toEqual(['redis-3', 'redis-3', null]);
  expect(promotions(world)).toBe(1);
  const kinds = agents.map(({ steps }) => steps.map(({ kind }) => kind));
  expect(kinds[0]?.[0]).toBe('stand');
  expect(kinds[1]).not.toContain('stand');
  expect(agents[0]?.gateCalls[0]).toBe('switch to redis-3');
});

test('a replica that still reads what its primary sent before it died is not promoted before it has', async () => {
  const { world, agents } = await trial(['host-1']);
  world.server('redis-3').offset += 10;
  world.server('redis-2').unread = { bytes: 50, looks: 3 };
  crash(world, agents);
  expect(await untilOver(world, agents, 1000)).toBe(true);
  expect(world.server('redis-2')).toMatchObject({ role: 'primary', offset: 1050, promotions: 1 });
});

test('a Sentinel that is stopped costs nothing, also when another one knows of a later epoch', async () => {
  const { world, agents } = await trial(['host-1']);
  const [first, second] = world.sentinels;
  world.silent.add(first?.id ?? '');
  // Its news has not arrived here yet.
  if (second) second.currentEpoch = 5;
  crash(world, agents);
  // A deadline for votes would take longer.
  expect(await untilOver(world, agents, 100)).toBe(true);
  expect(world.sentinels.map(({ configEpoch }) => configEpoch >= 5)).toEqual([false, true, true]);
  expect(agents[0]?.said.map(({ kind }) => kind)).not.toContain('not-elected');
});

test('Sentinels in TILT are not asked for votes: the primary is started again', async () => {
  const { world, agents } = await trial(['host-1']);
  world.tilted.add('sentinel-1').add('sentinel-2');
  crash(world, agents);
  expect(await untilOver(world, agents, 500)).toBe(true);
  expect(agents[0]?.steps.map(({ kind }) => kind)).toEqual(['restart']);
  expect([world.server('redis-1').role, promotions(world)]).toEqual(['primary', 0]);
});

test('one vote elects nobody', async () => {
  const { world, agents } = await trial(['host-1']);
  world.silent.add('sentinel-1').add('sentinel-2');
  crash(world, agents);
  const isTold = () => agents[0]?.said.some(({ kind }) => kind === 'not-elected') === true;
  expect(await world.until(isTold, 60_000)).toBe(true);
  expect(promotions(world)).toBe(0);
  agents[0]?.loop.stop();
});

test('an agent that dies after any of its messages leaves a primary that all Sentinels name, or has changed nothing', async () => {
  const ends = new Set<string>();
  for (let diesAfter = 1; diesAfter < 16; diesAfter++) {
    const { world, agents } = await trial(['host-1']);
    const [owner] = agents as [TrialAgent];
    owner.sendsLeft = diesAfter;
    crash(world, agents);
    await world.until(() => false, 100);
    const primary = world.servers.find(({ alive, role }) => alive && role === 'primary') ?? world.servers[0];
    const names = new Set(world.sentinels.map((each) => each.primary));
    expect([diesAfter, ...names]).toEqual([diesAfter, `${primary?.place.address}:6379`]);
    ends.add(`${promotions(world)}`);
    owner.loop.stop();
  }
  expect([...ends]).toEqual(['0', '1']);
});

test('a replica that hangs keeps nobody from what there is to do', async () => {
  const { world, agents } = await trial(['host-1']);
  world.server('redis-3').hangs = true;
  crash(world, agents);
  const isBack = () => world.server('redis-1').alive;
  expect(await world.until(isBack, 400, () => agents[0]?.loop.wake())).toBe(true);
  expect([world.server('redis-2').role, world.server('redis-1').follows]).toEqual(['primary', 'redis-2']);
});

test('somebody swaps two roles by hand: the Sentinels are told', async () => {
  const { world, agents } = await trial(['host-1']);
  const [agent] = agents as [TrialAgent];
  world.server('redis-2').replicaOf(null);
  world.server('redis-1').replicaOf('redis-2');
  await world.settle(agent.lookAtAll(), () => {});
  agent.noPrimarySinceMs = world.clock.monotonicMs();
  expect(await untilOver(world, agents, 2000)).toBe(true);
  const follows = () => world.servers.map((server) => server.follows);
  await world.until(() => follows()[2] === 'redis-2', 100);
  expect(follows()).toEqual(['redis-2', null, 'redis-2']);
  expect(agent.said[0]?.kind).toBe('election');
});

describe('a replica that refuses to be made primary (NOPERM)', () => {
  test('another one is, by the same votes, and whoever refused has told nobody', async () => {
    const { world, agents } = await trial(['host-1']);
    const [agent] = agents as [TrialAgent];
    world.server('redis-2').refuses = true;
    crash(world, agents);
    expect(await untilOver(world, agents, 300)).toBe(true);
    expect(world.servers.map((server) => server.promotions)).toEqual([0, 0, 1]);
    expect(agent.steps.filter(({ kind }) => kind === 'stand')).toHaveLength(1);
    const refused = agent.said.find(({ kind }) => kind === 'promotion-refused');
    expect(refused).toMatchObject({ subject: 'redis-2', text: expect.stringContaining('NOPERM') });
    expect(agent.view().unwilling).toEqual([
      { member: 'redis-2', reason: expect.stringContaining('NOPERM') },
    ]);
  });

  test('both do: no Sentinel is told of anybody, and the old primary is started as primary, with its data', async () => {
    const { world, agents } = await trial(['host-1']);
    const [agent] = agents as [TrialAgent];
    for (const id of ['redis-2', 'redis-3']) world.server(id).refuses = true;
    crash(world, agents);
    expect(await untilOver(world, agents, 2000)).toBe(true);
    expect(world.server('redis-1')).toMatchObject({ role: 'primary', alive: true });
    expect(promotions(world)).toBe(0);
    expect(world.sentinels.flatMap(({ switched }) => switched)).toEqual([]);
    expect(agent.selection).toBeNull();
    expect(agent.steps.map(({ kind }) => kind)).toEqual(['stand', 'restart']);
    agent.loop.stop();
  });

  test('one that does not answer: nobody else is told, and another one is elected', async () => {
    const { world, agents } = await trial(['host-1']);
    world.server('redis-2').hangsWhenPromoted = true;
    crash(world, agents);
    expect(await untilOver(world, agents, 3000)).toBe(true);
    expect(world.servers.map((server) => server.promotions)).toEqual([0, 0, 1]);
  });
});

describe('a Sentinel fails over by itself, and whom it selected dies', () => {
  const begun = async (): Promise<{ world: TrialWorld; agent: TrialAgent; agents: TrialAgent[] }> => {
    const { world, agents } = await trial(['host-1', 'host-2']);
    const [agent] = agents as [TrialAgent];
    const [sentinel] = agent.sentinels;
    if (sentinel) sentinel.failoverInProgress = true;
    agent.select('redis-2');
    return { world, agent, agents };
  };

  test('a crash of the primary in the same moment is answered at once, with another one', async () => {
    const { world, agents, agent } = await begun();
    world.server('redis-2').alive = false;
    await world.settle(agent.lookAtAll(), () => {});
    crash(world, [agent]);
    const isReplaced = () => world.server('redis-3').role === 'primary';
    expect(await world.until(isReplaced, 100)).toBe(true);
    for (const each of agents) each.loop.stop();
  });

  test('it came back: a crash of the primary later is answered at once, with the selected one', async () => {
    const { world, agents, agent } = await begun();
    world.skip(1500);
    await world.settle(agent.lookAtAll(), () => {});
    crash(world, [agent]);
    expect(await world.until(() => isOver(world), 100)).toBe(true);
    expect(world.servers.map((server) => server.promotions)).toEqual([0, 1, 0]);
    for (const each of agents) each.loop.stop();
  });

  test('the Sentinel has promoted it after all, in the moment of the election: there is no second promotion', async () => {
    const { world, agents, agent } = await begun();
    world.skip(1500);
    await world.settle(agent.lookAtAll(), () => {});
    world.server('redis-3').offset += 100;
    world.server('redis-2').replicaOf(null);
    crash(world, [agent]);
    const follows = () => world.server('redis-1').follows === 'redis-2';
    expect(await world.until(follows, 500)).toBe(true);
    expect(world.servers.map((server) => server.promotions)).toEqual([0, 1, 0]);
    for (const each of agents) each.loop.stop();
  });

  test('while it may still be promoted nobody stands', async () => {
    const { world, agents, agent } = await begun();
    crash(world, [agent]);
    expect(await world.until(() => promotions(world) > 0, 300)).toBe(false);
    for (const each of agents) each.loop.stop();
  });
});

test('when all is well it looks once a second, and as soon as anybody is silent several times', async () => {
  const { world, agents } = await trial(['host-1']);
  const [agent] = agents as [TrialAgent];
  let looks = 0;
  const view = agent.view.bind(agent);
  agent.view = () => {
    looks += 1;
    return view();
  };
  const looksOf = async (act: () => void) => {
    const before = looks;
    act();
    await world.until(() => false, 1);
    // On a busy machine that time may be over before the loop's turn came.
    await new Promise((resolve) => setImmediate(resolve));
    return looks - before;
  };
  await looksOf(() => agent.loop.wake());
  agent.isAtEase = true;
  expect(await looksOf(() => agent.loop.tick())).toBe(0);
  expect(await looksOf(() => agent.loop.wake())).toBe(1);
  agent.isAtEase = false;
  expect(await looksOf(() => agent.loop.tick())).toBe(1);
  agent.isAtEase = true;
  await world.until(() => false, 1000);
  expect(await looksOf(() => agent.loop.tick())).toBe(1);
});

describe('a step that fails', () => {
  test('is told once, tried again, and told as what was decided once', async () => {
    const world = new TrialWorld();
    const agent = new TrialAgent(world, 'host-1', ['host-1', 'host-2']);
    const tries: string[] = [];
    agent.failsToAct = (step) => {
      tries.push(step.kind);
      return tries.length < 3;
    };
    world.server('redis-2').alive = false;
    agent.died('redis-2');
    await world.until(
      () => world.server('redis-2').alive,
      60_000,
      () => agent.loop.wake(),
    );
    expect(tries.slice(0, 3)).toEqual(['restart', 'restart', 'restart']);
    expect(agent.said.map(({ kind }) => kind)).toEqual(['restart', 'action-failed']);
  });
});

test('a planned change that does not end for a lost primary gives way, and is over before anything is done', async () => {
  const { world, agents } = await trial(['host-1']);
  const [agent] = agents as [TrialAgent];
  const order: string[] = [];
  const change = agent.operations.run('restart', {}, async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    order.push(`over, ${agent.steps.length} steps done`);
    signal.throwIfAborted();
  });
  crash(world, agents);
  await expect(change).rejects.toMatchObject({
    code: 'OPERATION_ABORTED',
    message: 'a restart was given up: the process of the primary redis-1 is gone',
  });
  expect(await untilOver(world, agents, 300)).toBe(true);
  expect(order).toEqual(['over, 0 steps done']);
  expect(promotions(world)).toBe(1);
});

const plans = fc.record({
  latencies: fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 60 })), {
    minLength: 1,
    maxLength: 40,
  }),
  /** After how many messages the owner's agent dies. */
  diesAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 30 })),
  silent: fc.oneof(fc.constant([]), fc.constantFrom(['sentinel-1'], ['sentinel-3'])),
  epochs: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 3, maxLength: 3 }),
  /** When a Sentinel moves on to a later epoch by itself, in messages from the crash. */
  moves: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 20 })),
});

test('whatever dies and whenever messages come: one promotion, and all agree in the end', async () => {
  const seen = { dead: 0, quick: 0 };
  await fc.assert(
    fc.asyncProperty(plans, async ({ latencies, diesAfter, silent, epochs, moves }) => {
      const { world, agents } = await trial(['host-1', 'host-2'], latencies);
      const [owner, other] = agents as [TrialAgent, TrialAgent];
      epochs.forEach((epoch, i) => {
        const sentinel = world.sentinels[i];
        if (sentinel) sentinel.currentEpoch = epoch;
      });
      for (const id of silent) world.silent.add(id);
      owner.sendsLeft = diesAfter;
      crash(world, agents);
      if (moves !== null) {
        const move = () => {
          for (const sentinel of world.sentinels) sentinel.currentEpoch += 1;
        };
        for (let i = 0; i < moves; i++) world.send('moves', () => (i === moves - 1 ? move() : undefined));
      }
      const over = await untilOver(world, agents, 10_000);
      const said = agents.map(({ name, said: all }) => `${name}: ${all.map(({ text }) => text).join('; ')}`);
      expect({ over, promotions: promotions(world), said }).toEqual({ over: true, promotions: 1, said });
      for (const { strangers } of world.sentinels) expect(strangers).toEqual([]);
      if (!owner.alive && other.steps.some(({ kind }) => kind === 'stand')) seen.dead += 1;
      if (owner.alive) seen.quick += 1;
      for (const agent of agents) agent.loop.stop();
    }),
    { numRuns: 60, seed: 12 },
  );
  expect(seen.dead).toBeGreaterThan(5);
  expect(seen.quick).toBeGreaterThan(5);
}, 60_000);
