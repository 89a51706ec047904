/**
 * Agents and Sentinels in every order in which messages can arrive: two agents that stand at once or one after the other,
 * agents that die at each step, Sentinels that do not answer, that are in TILT, that begin failovers of their own, epochs
 * that move. The Sentinels vote and hear as sentinel.c does; what the agents do are the rules that are tested.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sentinelsThatKnowEachOther, type VotingSentinel } from '../../../test/support/voting-sentinel.ts';
import {
  actWithinMs,
  beginElection,
  type Election,
  epochToAskIn,
  type Heard,
  hear,
  mayAct,
  outcome,
  voteIsStaleAfterMs,
  votesNeeded,
} from './election.ts';
import { turnOf } from './turn.ts';

/** News takes no longer than this: the difference between the two times in the rules. */
const slowestMs = voteIsStaleAfterMs - actWithinMs - 1;
const oldPrimary = '10.1.0.1:6379';

interface Plan {
  sentinels: number;
  /** By agent: when it would like to stand, and after how many of its own steps it dies. */
  agents: { standsAtMs: number[]; diesAfter: number }[];
  /** Of each message, one after the other. */
  latencies: number[];
  /** By Sentinel: from when on it answers nobody, or is known to be in TILT. */
  silentFromMs: number[];
  tilt: boolean[];
  /** When a Sentinel begins a failover of its own, and which. */
  own: { atMs: number; sentinel: number }[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  sentinels: fc.constantFrom(3, 3, 5),
  agents: fc.array(
    fc.record({
      standsAtMs: fc.array(fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 1500 })), {
        minLength: 1,
        maxLength: 3,
      }),
      diesAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 20 })),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  latencies: fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: slowestMs })), {
    minLength: 1,
    maxLength: 40,
  }),
  silentFromMs: fc.array(fc.oneof(fc.constant(1e9), fc.integer({ min: 0, max: 400 })), {
    minLength: 5,
    maxLength: 5,
  }),
  tilt: fc.array(
    fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    { minLength: 5, maxLength: 5 },
  ),
  own: fc.array(
    fc.record({ atMs: fc.integer({ min: 0, max: 1500 }), sentinel: fc.integer({ min: 0, max: 4 }) }),
    { maxLength: 2 },
  ),
});

class Agent {
  readonly name: string;
  election: Election | null = null;
  highestEpoch = 0;
  foreignVoteMs = Number.NEGATIVE_INFINITY;
  stepsLeft: number;
  attempts = 0;

  constructor(name: string, diesAfter: number) {
    this.name = name;
    this.stepsLeft = diesAfter;
  }

  /** Counts a step. @returns whether it lives to do it. */
  lives(): boolean {
    this.stepsLeft -= 1;
    return this.stepsLeft >= 0;
  }
}

class World {
  nowMs = 0;
  readonly sentinels: VotingSentinel[];
  readonly agents: Agent[];
  readonly elected = new Map<number, Set<string>>();
  readonly promotions: { by: string; epoch: number }[] = [];
  readonly helloSent: { epoch: number; primary: string; heard: boolean }[] = [];
  readonly #plan: Plan;
  readonly #queue: { atMs: number; order: number; run: () => void }[] = [];
  #messages = 0;
  /** Messages on one connection keep their order. */
  readonly #lastOn = new Map<string, number>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.sentinels = sentinelsThatKnowEachOther(plan.sentinels, oldPrimary);
    this.agents = plan.agents.map(({ diesAfter }, i) => new Agent(`agent-${i}`, diesAfter));
    plan.agents.forEach(({ standsAtMs }, i) => {
      for (const at of standsAtMs) this.#at(at, () => this.#stand(this.agents[i] as Agent));
    });
    for (const { atMs, sentinel } of plan.own) this.#at(atMs, () => this.#ownFailover(sentinel));
  }

  run(): void {
    for (;;) {
      this.#queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      const next = this.#queue.shift();
      if (!next) break;
      this.nowMs = next.atMs;
      next.run();
    }
    // Every 2 s each tells its colleagues.
    for (const each of this.sentinels)
      for (const other of this.sentinels) if (other !== each) each.hears(other);
  }

  #at(atMs: number, run: () => void): void {
    this.#queue.push({ atMs, order: this.#messages++, run });
  }

  #send(connection: string, run: () => void): void {
    const { latencies } = this.#plan;
    const arrivesMs = this.nowMs + (latencies[this.#messages % latencies.length] as number);
    const atMs = Math.max(arrivesMs, this.#lastOn.get(connection) ?? 0);
    this.#lastOn.set(connection, atMs);
    this.#at(atMs, run);
  }

  #answers(index: number): boolean {
    return this.nowMs < (this.#plan.silentFromMs[index] as number);
  }

  #ownFailover(index: number): void {
    const sentinel = this.sentinels[index];
    if (!sentinel || !this.#answers(index)) return;
    const epoch = sentinel.begins(this.nowMs);
    if (epoch !== null) this.#publish(index, (agent) => this.#heardEpoch(agent, epoch));
  }

  #publish(index: number, tell: (agent: Agent) => void): void {
    for (const agent of this.agents) this.#send(`events ${index} ${agent.name}`, () => tell(agent));
  }

  #heardEpoch(agent: Agent, epoch: number): void {
    agent.highestEpoch = Math.max(agent.highestEpoch, epoch);
    if (agent.election) this.#hear(agent, agent.election, { kind: 'epoch', epoch });
  }

  #stand(agent: Agent): void {
    if (agent.election !== null || !agent.lives()) return;
    if (this.nowMs - agent.foreignVoteMs < voteIsStaleAfterMs) return;
    const electorate = {
      sentinels: this.sentinels.map(({ id }) => id),
      quorum: votesNeeded({ sentinels: this.sentinels.map(({ id }) => id), quorum: 1 }),
    };
    const epoch = epochToAskIn(agent.highestEpoch, agent.attempts);
    const runId = `${agent.name}-${epoch}-${this.#messages}`.padEnd(40, 'f');
    const election = beginElection(electorate, { runId, epoch, nowMs: this.nowMs });
    agent.election = election;
    this.sentinels.forEach((sentinel, index) => {
      if (this.#plan.tilt[index]) this.#hear(agent, election, { kind: 'silent', from: sentinel.id });
      else if (agent.lives())
        this.#send(`to ${index} ${agent.name}`, () => this.#asked(agent, election, index));
    });
    this.#at(this.nowMs + 300, () => {
      for (const { id } of this.sentinels) this.#hear(agent, election, { kind: 'silent', from: id });
    });
  }

  #asked(agent: Agent, { runId, epoch }: Election, index: number): void {
    const sentinel = this.sentinels[index] as VotingSentinel;
    if (!this.#answers(index)) return;
    const before = { epoch: sentinel.currentEpoch, voted: sentinel.leaderEpoch };
    const answer = sentinel.vote(oldPrimary, epoch, runId, this.nowMs);
    const [isNew, hasVoted] = [sentinel.currentEpoch > before.epoch, sentinel.leaderEpoch > before.voted];
    // `+new-epoch` and `+vote-for-leader` leave in one go, and an agent decides when all that has arrived is read.
    this.#publish(index, (each) => {
      if (isNew) this.#heardEpoch(each, epoch);
      if (hasVoted && each !== agent) each.foreignVoteMs = this.nowMs;
    });
    this.#send(`from ${index} ${agent.name}`, () => {
      const { election } = agent;
      if (election?.runId === runId)
        this.#hear(agent, election, { kind: 'vote', from: sentinel.id, ...answer });
    });
  }

  #hear(agent: Agent, { runId }: Election, heard: Heard): void {
    const { election } = agent;
    if (election === null || election.runId !== runId || !agent.lives()) return;
    agent.election = hear(election, heard);
    if (heard.kind === 'vote') agent.highestEpoch = Math.max(agent.highestEpoch, heard.epoch);
    const found = outcome(agent.election);
    if (found === 'open') return;
    const ended = agent.election;
    agent.election = null;
    agent.attempts = found === 'behind' ? agent.attempts + 1 : 0;
    if (found !== 'elected') return;
    const known = this.elected.get(ended.epoch) ?? new Set();
    this.elected.set(ended.epoch, known.add(ended.runId));
    // It may be slow between the votes and its turn.
    this.#send(`turn ${agent.name}`, () => this.#takeTurn(agent, ended));
  }

  #takeTurn(agent: Agent, election: Election): void {
    // The worst case: it has not heard that one of them names another.
    const everySentinel = new Set(this.sentinels.map(({ id }) => id));
    if (!mayAct(election, this.nowMs, actWithinMs, everySentinel) || agent.highestEpoch > election.epoch)
      return;
    // The worst case: each chooses another one.
    const port = agent.name === 'agent-0' ? 6379 : 6380;
    const chosen = { id: `redis-${port}`, address: '10.1.0.2', port };
    const { epoch } = election;
    const primary = `${chosen.address}:${port}`;
    const plan = {
      ...{ name: 'trial', epoch, chosen, lost: 'redis-1', followers: [] },
      sentinels: this.sentinels,
    };
    for (const action of turnOf(plan)) {
      if (!agent.lives()) return;
      if (action.kind === 'hello') {
        const index = this.sentinels.findIndex(({ id }) => id === action.sentinel);
        this.#hello(`to ${index} ${agent.name}`, index, action.text, { epoch, primary });
      }
      if (action.kind === 'promote') {
        this.promotions.push({ by: agent.name, epoch });
        // It publishes it to all of them, and nobody's death keeps it from that.
        this.sentinels.forEach((_, index) => {
          for (const text of action.hellos)
            this.#hello(`${chosen.id} to ${index}`, index, text, { epoch, primary });
        });
      }
    }
  }

  #hello(connection: string, index: number, text: string, named: { epoch: number; primary: string }): void {
    const sent = { ...named, heard: false };
    this.helloSent.push(sent);
    this.#send(connection, () => {
      const sentinel = this.sentinels[index] as VotingSentinel;
      if (!this.#answers(index) || text.includes(sentinel.runId)) return;
      sent.heard = true;
      sentinel.hello(text);
    });
  }
}

const always = (check: (world: World, plan: Plan) => void) =>
  fc.assert(
    fc.property(plans, (plan) => {
      const world = new World(plan);
      world.run();
      check(world, plan);
    }),
    { numRuns: 3000 },
  );

test('at most one is elected in an epoch', () => {
  always(({ elected }) => {
    for (const runIds of elected.values()) expect(runIds.size).toBe(1);
  });
});

test('nobody is promoted and not made known: whoever dies when, each Sentinel that answers names the last one', () => {
  always(({ promotions, sentinels }, { silentFromMs }) => {
    const last = promotions.at(-1);
    if (last === undefined || silentFromMs.slice(0, sentinels.length).every((ms) => ms < 1e9)) return;
    for (const { configEpoch } of sentinels) expect(configEpoch).toBe(last.epoch);
  });
});

test('of two that are elected one after the other, the later is never undone by the earlier', () => {
  always(({ promotions }) => {
    const epochs = promotions.map(({ epoch }) => epoch);
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
    expect(new Set(epochs).size).toBe(epochs.length);
  });
});

test('the Sentinels agree in the end on whom the latest hello named, if any of them heard it', () => {
  always(({ sentinels, helloSent }) => {
    const heard = helloSent.filter((hello) => hello.heard);
    const latest = heard.reduce((best, each) => (each.epoch > best.epoch ? each : best), {
      epoch: 0,
      primary: oldPrimary,
    });
    for (const { primary, configEpoch, strangers } of sentinels) {
      expect({ primary, configEpoch, strangers }).toEqual({
        primary: latest.primary,
        configEpoch: latest.epoch,
        strangers: [],
      });
    }
  });
});

test('an agent alone with Sentinels that answer is elected, whatever epoch they are in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 3, maxLength: 3 }), (epochs) => {
      const sentinels = sentinelsThatKnowEachOther(3, oldPrimary);
      epochs.forEach((epoch, i) => {
        (sentinels[i] as VotingSentinel).currentEpoch = epoch;
      });
      const electorate = { sentinels: sentinels.map(({ id }) => id), quorum: 2 };
      for (let attempt = 0; attempt < 8; attempt++) {
        const epoch = epochToAskIn(0, attempt);
        const runId = `${attempt}`.padEnd(40, 'e');
        const election = sentinels.reduce(
          (each, sentinel) =>
            hear(each, { kind: 'vote', from: sentinel.id, ...sentinel.vote(oldPrimary, epoch, runId, 0) }),
          beginElection(electorate, { runId, epoch, nowMs: 0 }),
        );
        if (outcome(election) === 'elected') return;
        expect(outcome(election)).toBe('behind');
      }
      expect.unreachable('it was never elected');
    }),
  );
});

test('the plans call for everything often enough to mean something', () => {
  const worlds = fc.sample(plans, { numRuns: 3000, seed: 7 }).map((plan) => {
    const world = new World(plan);
    world.run();
    return world;
  });
  const count = (test: (world: World) => boolean) => worlds.filter(test).length;
  expect(count(({ promotions }) => promotions.length === 1)).toBeGreaterThan(100);
  expect(count(({ promotions }) => promotions.length > 1)).toBeGreaterThan(1);
  expect(count(({ elected, promotions }) => elected.size > 0 && promotions.length === 0)).toBeGreaterThan(20);
  expect(count(({ elected }) => elected.size === 0)).toBeGreaterThan(20);
});
