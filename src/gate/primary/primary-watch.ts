import type { Endpoint, GateConfig, MemberAddress } from '../config.ts';
import { GateControlFailed } from '../errors.ts';
import type { Eligibility } from '../upstream/in-sync.ts';
import { OwnPriorities } from '../upstream/own-priorities.ts';
import { Probe, type Role } from '../upstream/probe.ts';
import { LearnedMembers } from './learned-members.ts';
import { type Membership, NamedMembers } from './members.ts';
import type { Effect, PrimaryEvent } from './primary-event.ts';
import {
  type Holding,
  holdingOf,
  initialState,
  isPassing,
  type PrimaryRules,
  type PrimaryState,
  reasonOf,
  refusalOfSwitch,
  sentinelsSeen,
  wakeAtMs,
  withoutClaims,
  withSentinels,
} from './primary-state.ts';
import { step } from './primary-step.ts';
import { readyMember } from './ready-member.ts';
import { Succession } from './succession.ts';
import { whoMayBePromoted } from './who-may-be-promoted.ts';
import { openWitness, rulesFor, type Witness, witnessesAt } from './witness.ts';

export interface PrimaryEvents {
  /** The primary, or what is held, changed. */
  onChange(): void;
  /** Of those that wait, one is to go on, to see whether the others may; or all. */
  onTry(who: 'one' | 'all'): void;
}

interface Switching {
  readonly member: MemberAddress;
  resolve(): void;
  reject(error: Error): void;
}

/** The longest that a timer can wait for. */
const longestMs = 2 ** 31 - 1;

/** Tells who is primary: gives what happens to `step`, which decides, and does what it says. */
export class PrimaryWatch {
  readonly #config: GateConfig;
  #rules: PrimaryRules;
  readonly #succession: Succession;
  readonly #events: PrimaryEvents;
  readonly #log: (text: string) => void;
  #witnesses: Witness[];
  readonly #named: NamedMembers;
  /** Null when the configuration names them. */
  readonly #learned: LearnedMembers | null;
  readonly #priorities: OwnPriorities;
  readonly #probes = new Map<MemberAddress, Probe>();
  readonly #roles = new Map<MemberAddress, Role>();
  #state: PrimaryState;
  #primarySince: number | null = null;
  /** Who was primary before this one; null when nobody was. */
  #replaced: MemberAddress | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Calls of the agent that wait for their member to be primary. */
  #switching: Switching[] = [];
  /** The last server named that is no member. */
  #stranger = '';

  constructor(config: GateConfig, log: (text: string) => void, events: PrimaryEvents) {
    this.#config = config;
    this.#log = log;
    this.#events = events;
    this.#priorities = new OwnPriorities(config);
    this.#succession = new Succession(config);
    this.#rules = this.#rulesNow();
    const witnesses = witnessesAt(config);
    this.#state = initialState({ ...this.#rules, sentinels: witnesses.length }, performance.now());
    this.#witnesses = witnesses.map((endpoint) => this.#witnessAt(endpoint));
    const learning = {
      primary: () => (this.#succession.serving === null ? this.#state.primary : null),
      onChange: () => {
        for (const sentinel of this.#witnesses) this.#onVote(sentinel);
      },
      log,
    };
    this.#learned = config.members.length > 0 ? null : new LearnedMembers(config, this.#witnesses, learning);
    this.#named = new NamedMembers(config.members);
  }

  get members(): Membership {
    return this.#learned ?? this.#named;
  }

  /** How many Sentinels make a majority. */
  get majority(): number {
    return this.#rules.byMembers ? 0 : this.#rules.majority;
  }

  /**
   * Other members and Sentinels belong to the deployment from now on. Those that stay are watched as before.
   * @throws GATE_CONTROL where the configuration names none, or the primary is not among them
   */
  replacePlaces(members: readonly MemberAddress[], sentinels: readonly Endpoint[]): void {
    if (this.#learned !== null || this.#rules.sentinels === 0)
      throw GateControlFailed('this gate learns by itself who belongs to the deployment');
    const { primary } = this.#state;
    const isIn = (at: Endpoint, list: readonly Endpoint[]) =>
      list.some(({ address, port }) => address === at.address && port === at.port);
    if (primary !== null && !isIn(primary, members))
      throw GateControlFailed(`${primary.id} is primary, and not among the members that are named`);
    this.#named.replace(members);
    const before = this.#witnesses;
    const places = { members: [...members], sentinels: [...sentinels], standalone: this.#config.standalone };
    const kept = witnessesAt(places).map(
      (endpoint) => before.find((watch) => isIn(watch.endpoint, [endpoint])) ?? this.#witnessAt(endpoint),
    );
    this.#state = withSentinels(
      this.#state,
      kept.map((watch) => (before.includes(watch) ? before.indexOf(watch) : null)),
    );
    this.#witnesses = kept;
    this.#rules = rulesFor(places);
    for (const watch of before) if (!kept.includes(watch)) watch.stop();
    for (const watch of kept) if (!before.includes(watch)) watch.start();
    this.#log(`members are ${members.map(({ id }) => id).join(', ')}; ${sentinels.length} Sentinels`);
    this.#take({ kind: 'tick' });
  }

  #witnessAt(endpoint: Endpoint): Witness {
    const witness: Witness = openWitness(endpoint, this.#config, this.#log, {
      onSelected: (replica, old, event) => this.#onSelected(replica, old, event),
      onAborted: (event) => {
        if (this.#succession.serving === null) this.#take({ kind: 'aborted', event });
      },
      onVote: () => this.#onVote(witness),
    });
    return witness;
  }

  start(): void {
    const sole =
      this.#succession.serving ?? (this.#witnesses.length === 0 ? this.#config.members[0] : undefined);
    if (sole !== undefined) this.#take({ kind: 'sole', member: sole, by: 'the configuration' });
    for (const sentinel of this.#witnesses) sentinel.start();
    this.#learned?.look();
    this.#take({ kind: 'tick' });
  }

  /** For good: nothing is asked, and nothing done with what still comes. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const sentinel of this.#witnesses) sentinel.stop();
    this.#learned?.stop();
    this.#priorities.stop();
    this.#closeProbes();
    for (const { reject } of this.#switching.splice(0)) reject(GateControlFailed('the gate stops'));
  }

  get primary(): MemberAddress | null {
    return this.#state.primary;
  }

  /** Who was primary before; null when nobody was. */
  get replaced(): MemberAddress | null {
    return this.#replaced;
  }

  /** Wall-clock ms since when this one is primary. */
  get primarySince(): number | null {
    return this.#primarySince;
  }

  get holding(): Holding {
    return holdingOf(this.#state);
  }

  /** For how long something has waited, in ms. */
  get heldForMs(): number {
    const { mode } = this.#state;
    return mode.kind === 'open' ? 0 : performance.now() - mode.sinceMs;
  }

  /** The primary came back and reads its data; everything is held. */
  get loads(): boolean {
    return this.#state.mode.kind === 'loading';
  }

  /** Clients wait for as long as it holds. */
  get isPatient(): boolean {
    return 'patient' in this.#state.mode && this.#state.mode.patient;
  }

  get reason(): string | null {
    return reasonOf(this.#state, this.#rules);
  }

  get switches(): number {
    return this.#state.switches;
  }

  get sentinelsSeen(): number {
    return this.#rules.byMembers ? 0 : sentinelsSeen(this.#state);
  }

  /** Which replicas could be promoted. */
  eligibility(): Promise<Eligibility> {
    return whoMayBePromoted(this.#witnesses, this.members, this.#priorities);
  }

  /** A connection to the member failed. */
  onLost(member: MemberAddress, reason: string): void {
    this.#take({ kind: 'lost', member, reason });
  }

  /** The primary says that it is a replica: true when the request is to be held until this is settled. */
  onReadonly(member: MemberAddress): boolean {
    // Without Sentinels only a change that an agent makes ends; otherwise nobody would say who is primary.
    if (this.#rules.sentinels === 0 && this.holding === 'none') return false;
    this.#take({ kind: 'readonly', member });
    return true;
  }

  /** It refuses for want of replicas, or because it loads: true while that is expected to pass. */
  onNotReady(member: MemberAddress): boolean {
    if (!isPassing(this.#state, { ...this.#config, ...this.#rules }, member, performance.now())) return false;
    this.#take({ kind: 'not-ready' });
    return true;
  }

  /** Stops writes until `release`, `switchTo` or the time is over. */
  holdWrites({ reason, maxMs, patient = false }: { reason: string; maxMs: number; patient?: boolean }): void {
    this.#take({ kind: 'agent-hold', reason, maxMs, patient });
  }

  /** Opens what asks this one for its role, so that its answer is there sooner. @returns null for no member */
  prepareFor(endpoint: Endpoint): MemberAddress | null {
    const member = this.#memberAt(endpoint);
    if (member !== null) void this.#probeOf(member).role();
    return member;
  }

  release(): void {
    this.#take({ kind: 'agent-release' });
    if (this.#state.asked.length === 0) this.#closeProbes();
  }

  /**
   * Makes this member the primary once its ROLE says so.
   * @param epoch under which the agent was elected for this change, where it says so.
   * @throws GATE_CONTROL
   */
  switchTo(endpoint: Endpoint, epoch: number | null, withinMs = 5000): Promise<void> {
    const member = this.#memberAt(endpoint);
    const refusal =
      member === null
        ? `${endpoint.address}:${endpoint.port} is no member of this deployment`
        : refusalOfSwitch(this.#state, member, epoch);
    if (member === null || refusal !== null) return Promise.reject(GateControlFailed(refusal ?? ''));
    return new Promise((resolve, reject) => {
      // What waits for another is overtaken by this.
      this.#take({ kind: 'agent-switch', member, epoch, withinMs });
      this.#switching.push({ member, resolve, reject });
      this.#settleSwitching();
    });
  }

  get predecessor(): 'serves' | 'left' | null {
    return this.#succession.state;
  }

  /**
   * Clients, held or not, go on at the members, or back at the predecessor. The members' primary is asked before: it must
   * be named by a majority of their Sentinels, or be the one that there is, and say itself that it is primary.
   * @throws GATE_CONTROL, and then nothing has changed
   */
  async moveTo(to: 'members' | 'predecessor', onlyCheck: boolean): Promise<void> {
    if (this.#succession.state === (to === 'members' ? 'left' : 'serves')) return;
    const member = to === 'members' ? await readyMember(this.#witnesses, this.members, this.#config) : null;
    if (onlyCheck) return;
    this.#succession.note(to);
    this.#rules = this.#rulesNow();
    this.#state = withoutClaims(this.#state);
    const next = this.#succession.serving ?? member;
    if (next !== null) this.#take({ kind: 'sole', member: next, by: 'whoever moves the clients' });
    for (const sentinel of this.#witnesses) this.#onVote(sentinel);
  }

  /** While the predecessor serves, Sentinels are listened to for later, and nothing follows from what they say. */
  #rulesNow(): PrimaryRules {
    if (this.#succession.serving !== null) return { sentinels: 0, majority: 0 };
    return rulesFor(this.#config, this.#config.quorumMajority);
  }

  #onSelected(replica: Endpoint, old: Endpoint, event: string): void {
    const member = this.#succession.serving === null ? this.#memberAt(replica) : null;
    if (member === null) return;
    const kind = event === '+switch-master' ? 'switched' : 'selected';
    this.#take({ kind, member, old: this.members.find(old) ?? null, event });
  }

  #onVote(watch: Witness): void {
    const sentinel = this.#witnesses.indexOf(watch);
    if (sentinel === -1 || this.#succession.serving !== null) return;
    const claim = watch.vote && { member: this.#memberAt(watch.vote), epoch: watch.vote.epoch };
    this.#take({ kind: 'claim', sentinel, claim });
  }

  #take(event: PrimaryEvent): void {
    if (this.#stopped) return;
    const before = this.#state.primary;
    const { state, effects } = step(this.#state, event, this.#rules, performance.now());
    this.#state = state;
    if (state.primary !== before) {
      this.#primarySince = Date.now();
      this.#replaced = before;
      this.#learned?.look();
    }
    clearTimeout(this.#timer);
    const inMs = wakeAtMs(state) - performance.now();
    if (inMs < longestMs) this.#timer = setTimeout(() => this.#take({ kind: 'tick' }), Math.max(0, inMs));
    for (const effect of effects) this.#do(effect);
    this.#settleSwitching();
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case 'ask':
        void this.#ask(effect.member);
        return;
      case 'poll':
        for (const sentinel of this.#witnesses) void sentinel.poll();
        return;
      case 'log':
        this.#log(effect.text);
        return;
      case 'changed':
        this.#events.onChange();
        return;
      case 'try-one':
        this.#events.onTry('one');
        return;
      case 'go-on':
        this.#events.onTry('all');
    }
  }

  async #ask(member: MemberAddress): Promise<void> {
    const role = await this.#probeOf(member).role();
    this.#roles.set(member, role);
    this.#take({ kind: 'role', member, role });
    if (this.#state.asked.length > 0 || Number.isFinite(this.#state.askAtMs)) return;
    this.#closeProbes();
  }

  #closeProbes(): void {
    for (const each of this.#probes.values()) each.close();
    this.#probes.clear();
  }

  #probeOf(member: MemberAddress): Probe {
    const known = this.#probes.get(member);
    if (known !== undefined) return known;
    const probe = new Probe(member, this.#config);
    this.#probes.set(member, probe);
    return probe;
  }

  #settleSwitching(): void {
    const { primary, candidate, mode } = this.#state;
    for (const waiting of [...this.#switching]) {
      const { member, resolve, reject } = waiting;
      if (candidate?.grounds === 'agent' && candidate.member === member) continue;
      this.#switching = this.#switching.filter((each) => each !== waiting);
      if (primary === member && mode.kind === 'open') resolve();
      else {
        const role = this.#roles.get(member) ?? 'unreachable';
        reject(GateControlFailed(`${member.id} does not answer as primary but as ${role}`));
      }
    }
  }

  /** Null for a server that is no member; the log says so once. */
  #memberAt(endpoint: Endpoint): MemberAddress | null {
    const member = this.members.find(endpoint);
    if (member !== undefined) return member;
    // It may have come since they were last asked for; before the first answer, nobody is one.
    this.#learned?.look();
    if (this.members.all.length === 0) return null;
    const where = `${endpoint.address}:${endpoint.port}`;
    if (this.#stranger !== where)
      this.#log(`a Sentinel names ${where}, which is no member: it is not followed`);
    this.#stranger = where;
    return null;
  }
}
