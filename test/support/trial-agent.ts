/** An agent's side of a trial: what it has seen of the servers and Sentinels, and the code that is tested acting on that. */
import { setTimeout as delay } from 'node:timers/promises';
import { ElectionWatch } from '../../src/agent/election/election-watch.ts';
import { replacePrimary } from '../../src/agent/election/replace-primary.ts';
import { runIdMarks } from '../../src/agent/election/run-ids.ts';
import { Loop, type Step } from '../../src/agent/loop.ts';
import { Operations } from '../../src/agent/operations.ts';
import { Troubles } from '../../src/agent/state/troubles.ts';
import { parseSentinelEvent } from '../../src/redis/sentinel-event.ts';
import type { MemberView, SentinelView, View } from '../../src/topology/view.ts';
import { type TrialServer, trialPassword } from './trial-server.ts';
import { sentinelCaller, TrialServerClient, type TrialWorld, trialName } from './trial-servers.ts';
import { aliveProcess, aReplica, aSentinel, deadProcess } from './views.ts';
import type { VotingSentinel } from './voting-sentinel.ts';

const addressOf = (text: string) => {
  const [address = '', port] = text.split(':');
  return { address, port: Number(port) };
};

type Seen = Pick<
  MemberView,
  | 'reachable'
  | 'refuses'
  | 'role'
  | 'follows'
  | 'linkUp'
  | 'offset'
  | 'seenAtMs'
  | 'storeFails'
  | 'priority'
  | 'busy'
  | 'inSync'
  | 'toldIn'
  | 'fenced'
  | 'histories'
>;

class TrialMember {
  readonly place: TrialServer['place'];
  readonly unit: { process: { readonly running: boolean } } | null;
  readonly watch;
  readonly #world: TrialWorld;
  readonly #agent: TrialAgent;
  readonly #server: TrialServer;
  #seen: Seen;
  diedAtMs: number | null = null;

  /** @param own whether the agent runs its process. */
  constructor(world: TrialWorld, agent: TrialAgent, server: TrialServer, own: boolean) {
    this.#world = world;
    this.#agent = agent;
    this.#server = server;
    this.place = server.place;
    this.unit = own
      ? {
          process: {
            get running() {
              return server.alive;
            },
          },
        }
      : null;
    this.#seen = this.#now();
    const member = this;
    this.watch = {
      get seen() {
        const runId = server.place.id.padEnd(40, '0');
        return { ...member.view(), runId };
      },
      look: () => member.look(),
      client: new TrialServerClient(world, server, (answer) =>
        agent.ask(server.place.id, () => !server.hangs, answer),
      ),
    };
  }

  async look(): Promise<void> {
    const seen = await this.#agent.ask(
      this.place.id,
      () => !this.#server.hangs,
      () => this.#now(),
    );
    this.#seen = { ...seen, seenAtMs: this.#world.clock.monotonicMs() };
  }

  view(): MemberView {
    const seen = this.#seen;
    const { alive } = this.#server;
    const down = this.unit !== null && !alive;
    const process = this.unit && (alive ? aliveProcess() : deadProcess(this.diedAtMs ?? 0));
    const known = down ? { ...seen, reachable: false, role: null, follows: null, linkUp: false } : seen;
    return aReplica(this.place.id, {
      ...{ ...this.place, process, synced: known.role === 'replica' },
      ...known,
    });
  }

  #now(): Seen {
    const readsOn = this.#server.readOn();
    const { alive, role, follows, offset, storeFails, priority, runsScript, noLink, inSync, fencedIn } =
      this.#server;
    const followed = follows === null ? null : this.#world.server(follows);
    return {
      reachable: alive,
      refuses: !alive,
      role: alive ? role : null,
      follows: followed?.place ?? null,
      linkUp: !noLink && (readsOn || (followed?.alive === true && followed.role === 'primary')),
      offset,
      storeFails,
      priority,
      ...{ inSync, toldIn: fencedIn ?? 0, fenced: fencedIn !== null, histories: ['a'.repeat(40)] },
      busy: runsScript ? { code: 'script', sinceMs: this.#world.clock.monotonicMs() } : null,
      seenAtMs: this.#world.clock.monotonicMs(),
    };
  }
}

class TrialVoter {
  readonly place: { id: string };
  readonly watch;
  primary: { address: string; port: number } | null;
  configEpoch: number;
  failoverInProgress = false;

  constructor(world: TrialWorld, agent: TrialAgent, sentinel: VotingSentinel) {
    this.place = { id: sentinel.id };
    this.primary = addressOf(sentinel.primary);
    this.configEpoch = sentinel.configEpoch;
    const voter = this;
    this.watch = {
      get seen() {
        const { primary, configEpoch } = voter;
        const tilt = world.tilted.has(sentinel.id);
        const rest = { agreedDown: false, primarySilentMs: 0, failoverInProgress: false, locksUsOut: false };
        return { reachable: true, primary, configEpoch, tilt, ...rest };
      },
      look: async () => {},
      client: {
        connection: sentinelCaller(world, sentinel, (answers, answer) =>
          agent.ask(sentinel.id, answers, answer),
        ),
        quorum: async () => ({ ok: true, reason: '' }),
        failover: async () => {
          agent.askedToFailOver.push(sentinel.id);
        },
      },
    };
  }
}

/** Stands for a Deployment wherever the tested code says by an interface what it needs of one. */
export class TrialAgent {
  readonly name: string;
  readonly host: string;
  readonly operations = new Operations(() => this.loop.wake());
  readonly elections: ElectionWatch;
  readonly members: TrialMember[];
  readonly sentinels: TrialVoter[];
  readonly said: { kind: string; subject: string; text: string }[] = [];
  readonly troubles = new Troubles();
  readonly askedToFailOver: string[] = [];
  readonly steps: Step[] = [];
  readonly gateCalls: string[] = [];
  readonly gates;
  readonly loop: Loop;
  isAtEase = false;
  readonly spec;
  readonly setting;
  selection: View['selection'] = null;
  noPrimarySinceMs: number | null = null;
  #announced: string | null = null;
  /** How often it has looked, and what it is carrying out. */
  #looks = 0;
  #underWay = 0;
  /** How many more messages it sends before it dies. */
  sendsLeft = Number.POSITIVE_INFINITY;
  readonly #world: TrialWorld;

  /** @param own the hosts whose processes are its own. */
  constructor(world: TrialWorld, host: string, own: readonly string[] = [host]) {
    this.#world = world;
    this.name = `agent of ${host}`;
    this.host = host;
    this.setting = {
      host,
      clock: world.clock,
      secrets: { own: { replication: trialPassword }, beside: null },
    };
    this.spec = {
      redis: { minReplicasToWrite: 1 },
      ...{ name: trialName, hosts: [{ id: 'host-1' }, { id: 'host-2' }, { id: 'host-3' }] },
      ...{
        sentinel: { quorum: 2, detectAfterMs: 3000, failoverTimeoutMs: 12_000 },
        gate: { durability: 'async' as 'async' | 'replicated' },
        mirror: null as { ack: 'one' | 'quorum' | 'all' } | null,
      },
      agent: { hangAfterMs: 5000, restarts: { limit: 5, withinMs: 60_000 } },
    };
    this.elections = new ElectionWatch(world.clock, runIdMarks(host, host, undefined));
    this.members = world.servers.map(
      (server) => new TrialMember(world, this, server, own.includes(server.place.host)),
    );
    this.sentinels = world.sentinels.map((sentinel) => new TrialVoter(world, this, sentinel));
    const note = async (call: string) => void this.gateCalls.push(call);
    this.gates = [
      {
        ...{ place: { id: 'gate-1' }, unit: { process: { running: true, pid: 1 } } },
        adapter: {
          seen: { state: 'open' as const, clients: 0 },
          hold: (reason: string, _forMs?: number) => note(`hold ${reason}`),
          release: () => note('release'),
          switchTo: ({ id }: { id: string }) => note(`switch to ${id}`),
        },
      },
    ];
    this.loop = new Loop(this, (step) => {
      this.#underWay++;
      return this.#act(step).finally(() => this.#underWay--);
    });
    world.listen((sentinel, name, message) =>
      this.send(`events ${sentinel.id}`, () => this.#hear(sentinel, name, message)),
    );
  }

  get alive(): boolean {
    return this.sendsLeft > 0;
  }

  /** Learns what an agent knows that has run for a while. */
  async settle(): Promise<void> {
    const learned = this.sentinels.map((each) => this.elections.observed(each, trialName));
    let over = false;
    void Promise.all(learned).then(() => {
      over = true;
    });
    await this.#world.until(() => over, 1000);
  }

  /** Looks, and does what there is to do until there is nothing. */
  async actUntilRest(): Promise<void> {
    const before = this.#looks;
    this.loop.wake();
    // What one step leads to is begun in the turn in which it ends.
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#looks === before || this.#underWay > 0);
  }

  /** The kernel tells of a death on its host; elsewhere the connection breaks. */
  died(id: string): void {
    const member = this.member(id);
    member.diedAtMs = this.#world.clock.monotonicMs();
    if (member.unit !== null) this.loop.wake();
    else this.send(`death of ${id}`, () => void member.look().then(() => this.loop.wake()));
  }

  /** Something arrives here, if this agent lives then. */
  send(connection: string, run: () => void): void {
    this.#world.send(`${this.name} ${connection}`, () => {
      if (this.alive) run();
    });
  }

  ask<T>(whom: string, answers: () => boolean, answer: () => T): Promise<T> {
    this.sendsLeft -= 1;
    if (!this.alive) {
      this.loop.stop();
      return new Promise(() => {});
    }
    return this.#world.ask(`${this.name} ${whom}`, answers, answer);
  }

  #hear(sentinel: VotingSentinel, name: string, message: string): void {
    const event = parseSentinelEvent(name, message, trialName);
    const voter = this.sentinels.find(({ place }) => place.id === sentinel.id);
    if (!event || !voter) return;
    if (event.newPrimary) {
      voter.primary = event.newPrimary;
      voter.configEpoch = sentinel.configEpoch;
    }
    if (this.elections.heard(voter, event, trialName) || event.newPrimary) this.loop.wake();
  }

  /** Whether carrying this out fails. */
  failsToAct: (step: Step) => boolean = () => false;

  async #act(step: Step): Promise<void> {
    this.steps.push(step);
    if (this.failsToAct(step)) throw new Error(`${step.kind} does not work`);
    if (step.kind === 'stand')
      await replacePrimary(this, step.member, { mayReturn: step.code === 'not-acting' });
    if (step.kind === 'follow') {
      const member = this.member(step.member);
      await member.watch.client.replicaOf(this.member(step.primary).place);
      await member.look();
    }
    if (step.kind === 'restart') await this.#restart(step);
    if (step.kind === 'appoint') for (const id of step.sentinels) this.#tell(id, step.member);
  }

  /** SENTINEL REMOVE and MONITOR: it forgets its epoch and its vote. */
  #tell(sentinel: string, member: string): void {
    const told = this.#world.sentinels.find(({ id }) => id === sentinel);
    const voter = this.sentinels.find(({ place }) => place.id === sentinel);
    if (!told || !voter) return;
    const { address, port } = this.member(member).place;
    Object.assign(told, { primary: `${address}:${port}`, configEpoch: 0, leader: null, leaderEpoch: 0 });
    Object.assign(voter, { primary: { address, port }, configEpoch: 0 });
  }

  async #restart({ process, as }: Extract<Step, { kind: 'restart' }>): Promise<void> {
    const server = this.#world.server(process);
    server.replicaOf(as.kind === 'replica' ? as.of : null);
    server.alive = true;
    await this.member(process).look();
  }

  readonly events = {
    add: (kind: string, subject: string, text: string) => void this.said.push({ kind, subject, text }),
  };

  select(member: string): void {
    this.selection = { member, atMs: this.#world.clock.monotonicMs() };
  }

  endSelection(): void {
    this.selection = null;
  }

  announce(primary: string): boolean {
    const before = this.#announced;
    this.#announced = primary;
    return before !== null && before !== primary;
  }

  member(id: string): TrialMember {
    return this.members.find(({ place }) => place.id === id) as TrialMember;
  }

  memberAt(where: { address: string; port: number } | null): TrialMember | undefined {
    return this.members.find(({ place }) => place.address === where?.address && place.port === where.port);
  }

  async lookAtAll(): Promise<void> {
    await Promise.all(this.members.map((member) => member.look()));
  }

  lookWithin(ms: number): Promise<void> {
    return Promise.race([this.lookAtAll(), delay(ms, undefined, { ref: false })]);
  }

  view(): View {
    this.#looks++;
    return {
      ...{
        name: trialName,
        paused: false,
        gates: [],
        noPrimarySinceMs: this.noPrimarySinceMs,
        selection: this.selection,
        promoted: this.elections.promoted,
        unwilling: this.elections.unwilling,
      },
      ...{ operation: this.operations.description, givesWay: this.operations.givesWay },
      operationRests: this.operations.rests,
      helpersKept: this.operations.keepsHelpers,
      ending: this.operations.ending,
      members: this.members.map((member) => member.view()),
      sentinels: this.sentinels.map((voter) => this.#sentinelView(voter)),
      namedSinceMs: this.elections.namedSinceMs,
      vote: this.elections.vote,
      standAgainAtMs: this.elections.standAgainAtMs,
      troubles: [],
    };
  }

  #sentinelView({ place, watch, failoverInProgress }: TrialVoter): SentinelView {
    const { primary, configEpoch, tilt } = watch.seen;
    const named = this.memberAt(primary)?.place.id ?? null;
    const agreedDownAtMs = this.elections.agreedDownAtMs(place.id);
    const said = { configEpoch, tilt, agreedDownAtMs, failoverInProgress };
    return aSentinel(place.id, { process: null, primary: named, ...said });
  }
}
