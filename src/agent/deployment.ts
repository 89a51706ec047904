/**
 * A deployment as this agent has it in hand: what the spec places, the processes of this host, and what was last
 * observed of everything. It holds state and answers with a view; deciding and acting are elsewhere.
 */
import type { AlarmClock } from '../base/clock.ts';
import { isSabotaged } from '../base/sabotage.ts';
import type { SentinelEvent } from '../redis/sentinel-event.ts';
import type { CurrentTls } from '../redis/tls.ts';
import type { Secrets } from '../spec/secrets.ts';
import type { GatePlace, Member, SentinelPlace, Spec } from '../spec/spec.ts';
import { keepsInSync } from '../topology/in-sync-set.ts';
import type { Word } from '../topology/own-word.ts';
import type { GateView, MemberView, SentinelView, View } from '../topology/view.ts';
import { ElectionWatch } from './election/election-watch.ts';
import type { RunIdMarks } from './election/run-ids.ts';
import { CatchUpWatch } from './observe/catch-up-watch.ts';
import type { DataWatch } from './observe/data-watch.ts';
import { LagWatch } from './observe/lag-watch.ts';
import type { MemberWatch } from './observe/member-watch.ts';
import type { SentinelWatch } from './observe/sentinel-observer.ts';
import { Operations } from './operations.ts';
import type { EventLog } from './state/event-log.ts';
import type { HeldBack } from './state/held-back.ts';
import { isDataIntact, isDataStale, keptData, type MemoryFile } from './state/memory-file.ts';
import type { StatePaths } from './state/paths.ts';
import { PauseFlag } from './state/pause-flag.ts';
import { Troubles } from './state/troubles.ts';
import type { GateAdapter } from './units/gate-adapter.ts';
import { whyRouteHolds } from './units/gate-routes.ts';
import type { Unit } from './units/unit.ts';

export interface LiveMember {
  place: Member;
  /** Null for a member of another host. */
  unit: Unit | null;
  watch: MemberWatch;
  memory: MemoryFile | null;
  heldBack: HeldBack | null;
  disk: DataWatch | null;
}

export interface LiveSentinel {
  place: SentinelPlace;
  unit: Unit | null;
  watch: SentinelWatch;
}

export interface LiveGate {
  place: GatePlace;
  unit: Unit | null;
  adapter: GateAdapter;
}

/** What this agent's host runs, and where its state lies. */
export interface Setting {
  spec: Spec;
  /** Full path of the file that it was read from, for commands that are run for a job. */
  specFile: string;
  /** The id of this agent's host. */
  host: string;
  paths: StatePaths;
  secrets: Secrets;
  /** Full path of redis-server or valkey-server. */
  redisServer: string;
  /** Whether that server's ACLs have selectors. */
  aclSelectors: boolean;
  /** Full path of haproxy, when the spec wants it for a gate of this host. */
  haproxy: string | null;
  clock: AlarmClock;
  events: EventLog;
  runIdMarks: RunIdMarks;
  /** For connections to servers; undefined without TLS. */
  tls: CurrentTls | undefined;
}

export class Deployment {
  #setting: Setting;
  readonly #members: LiveMember[] = [];
  readonly #sentinels: LiveSentinel[] = [];
  readonly #gates: LiveGate[] = [];
  readonly pause: PauseFlag;
  /** Who may change anything that is planned. The loop looks again when a planned change is over. */
  readonly operations = new Operations(() => this.wake());
  #selection: View['selection'] = null;
  readonly lag = new LagWatch();
  readonly catchUp = new CatchUpWatch();
  readonly elections: ElectionWatch;
  readonly troubles = new Troubles();
  /** Whom the last event about the Sentinels' word named. */
  #announcedPrimary: string | null = null;
  #wake: () => void = () => {};
  readonly #sentinelListeners = new Set<(event: SentinelEvent) => void>();

  constructor(setting: Setting) {
    this.#setting = setting;
    this.pause = new PauseFlag(setting.paths.flags);
    this.elections = new ElectionWatch(setting.clock, setting.runIdMarks);
  }

  get setting(): Setting {
    return this.#setting;
  }

  get spec(): Spec {
    return this.#setting.spec;
  }

  get members(): readonly LiveMember[] {
    return this.#members;
  }

  get sentinels(): readonly LiveSentinel[] {
    return this.#sentinels;
  }

  get gates(): readonly LiveGate[] {
    return this.#gates;
  }

  /** The replica that was selected for promotion and that the Sentinels do not name yet. */
  get selection(): View['selection'] {
    return this.#selection;
  }

  /** Another spec was applied. Where everything is stays as it is. */
  changeSetting(next: Setting): void {
    this.#setting = next;
  }

  addMember(member: LiveMember): void {
    this.#members.push(member);
  }

  addSentinel(sentinel: LiveSentinel): void {
    this.#sentinels.push(sentinel);
  }

  addGate(gate: LiveGate): void {
    this.#gates.push(gate);
  }

  /** This member is being made primary, by us or by a Sentinel. */
  select(member: string): void {
    this.#selection = { member, atMs: this.#setting.clock.monotonicMs() };
  }

  endSelection(): void {
    this.#selection = null;
  }

  /** Notes whom the Sentinels name. @returns whether they named another before. */
  announce(primary: string): boolean {
    const before = this.#announcedPrimary;
    this.#announcedPrimary = primary;
    return before !== null && before !== primary;
  }

  get events(): EventLog {
    return this.#setting.events;
  }

  /** The processes of this host. */
  get units(): Unit[] {
    return [...this.sentinels, ...this.members, ...this.gates].flatMap(({ unit }) => (unit ? [unit] : []));
  }

  member(id: string): LiveMember {
    return this.members.find(({ place }) => place.id === id) as LiveMember;
  }

  /** The member at an address, as a Sentinel or a replica names it. */
  memberAt(where: { address: string; port: number } | null): LiveMember | undefined {
    return this.members.find(({ place }) => place.address === where?.address && place.port === where.port);
  }

  /** Tells whoever waits for it what a Sentinel just published. @returns what ends the listening. */
  onSentinelEvent(listener: (event: SentinelEvent) => void): () => void {
    this.#sentinelListeners.add(listener);
    return () => this.#sentinelListeners.delete(listener);
  }

  /** Sets who is to look again when something happened. */
  onWake(listener: () => void): void {
    this.#wake = listener;
  }

  wake(): void {
    this.#wake();
  }

  heardSentinel(event: SentinelEvent): void {
    for (const listener of [...this.#sentinelListeners]) listener(event);
  }

  /** Everyone answers, and no process of this host stands still: nothing is called for by time passing. */
  get isAtEase(): boolean {
    return (
      this.members.every(({ unit, watch }) => isAtEase(unit) && answers(watch) && watch.unansweredMs === 0) &&
      this.sentinels.every(({ unit, watch }) => isAtEase(unit) && answers(watch)) &&
      this.gates.every(({ unit, adapter }) => isAtEase(unit) && adapter.seen.state === 'open')
    );
  }

  view(): View {
    return {
      name: this.spec.name,
      paused: this.pause.paused,
      operation: this.operations.description,
      givesWay: this.operations.givesWay,
      operationRests: this.operations.rests,
      helpersKept: this.operations.keepsHelpers,
      ending: this.operations.ending,
      members: this.members.map((member) =>
        memberView(
          member,
          this.lag,
          this.#progressOf(member),
          this.#isUnlisted(member),
          this.#wordOf(member),
        ),
      ),
      sentinels: this.sentinels.map((sentinel) => this.#sentinelView(sentinel)),
      gates: this.gates.map(gateView),
      noPrimarySinceMs: this.lag.noPrimarySinceMs,
      selection: this.#selection,
      promoted: this.elections.promoted,
      unwilling: this.elections.unwilling,
      namedSinceMs: this.elections.namedSinceMs,
      vote: this.elections.vote,
      standAgainAtMs: this.elections.standAgainAtMs,
      troubles: this.troubles.all,
    };
  }

  #progressOf({ place, watch }: LiveMember): Pick<MemberView, 'caughtUp' | 'awaited'> {
    const stage = this.catchUp.stageOf(place.id);
    const isRecorded = watch.seen.inSync?.in.includes(place.id) ?? false;
    return {
      caughtUp: stage === 'caught-up' || stage === 'eligible' || stage === 'awaited',
      awaited: keepsInSync(this.spec)
        ? isRecorded
        : stage === 'awaited' || this.spec.gate.durability === 'async',
    };
  }

  /**
   * A standalone member whose stream was killed says still that it follows: the one that it follows lists whoever reads for it.
   */
  #isUnlisted({ place, watch }: LiveMember): boolean {
    if (this.spec.mirror === null) return false;
    const lead = this.memberAt(watch.seen.follows)?.watch.seen;
    if (!lead?.reachable || lead.role !== 'primary') return false;
    return !lead.onlineReplicas.some(({ address, port }) => address === place.address && port === place.port);
  }

  #wordOf({ place, unit, watch }: LiveMember): Word | null {
    const { whom, epoch, settled } = watch.said ?? {};
    const leads = whom === null ? place.id : this.memberAt(whom ?? null)?.place.id;
    if (this.spec.mirror === null || leads === undefined) return null;
    return { leads, epoch: epoch ?? 0, settled: settled === true && unit?.lives !== false };
  }

  #sentinelView({ place, unit, watch }: LiveSentinel): SentinelView {
    const { reachable, primary, primarySilentMs, configEpoch, failoverInProgress, tilt, saysDown } =
      watch.seen;
    const runs = unit?.lives !== false;
    return {
      id: place.id,
      host: place.host,
      address: place.address,
      port: place.port,
      process: unit?.view ?? null,
      reachable: reachable && runs,
      answeredAtMs: watch.answeredAtMs,
      primary: this.memberAt(primary)?.place.id ?? null,
      configEpoch,
      agreedDownAtMs: this.elections.agreedDownAtMs(place.id),
      primarySilentMs,
      failoverInProgress,
      tilt,
      saysDown,
      watchesNothing: watch.seen.watchesNothing && runs,
      forgotLately: watch.seen.forgotLately && runs,
      toldAtMs: watch.toldAtMs,
      namesSinceMs: watch.namesSinceMs,
    };
  }
}

function isAtEase(unit: Unit | null): boolean {
  return unit === null || (unit.lives && !unit.standsStill);
}

function answers({ seen }: { seen: { reachable: boolean; busy?: unknown } }): boolean {
  return seen.reachable && !seen.busy;
}

function gateView({ place, unit, adapter }: LiveGate): GateView {
  return {
    id: place.id,
    host: place.host,
    address: place.address,
    port: place.port,
    replicaPort: place.replicaPort,
    process: unit?.view ?? null,
    state: unit?.lives === false ? 'down' : adapter.seen.state,
    reason: adapter.seen.status?.reason ?? whyRouteHolds(adapter.seen.status) ?? adapter.seen.reason ?? null,
    clients: unit?.lives === false ? 0 : adapter.seen.clients,
  };
}

/**
 * Every field by its name, here and in the other views: with another object spread into so many fields V8 makes each view a shape of its
 * own, of some 25 KB, several times a second.
 */
function memberView(
  { place, unit, watch, memory, heldBack, disk: files }: LiveMember,
  lag: LagWatch,
  progress: Pick<MemberView, 'caughtUp' | 'awaited'>,
  isUnlisted: boolean,
  word: Word | null,
): MemberView {
  const { seen } = watch;
  const running = unit?.lives ?? true;
  const down = unit !== null && !running;
  const disk = files?.seen ?? null;
  const unguarded = isSabotaged('no-empty-primary-guard');
  return {
    id: place.id,
    host: place.host,
    address: place.address,
    port: place.port,
    process: unit?.view ?? null,
    reachable: seen.reachable && running,
    seenAtMs: watch.lastAnswerMs,
    answersSinceMs: running ? watch.answersSinceMs : null,
    lastAnswer: watch.lastAnswer,
    refuses: seen.refuses,
    silentMs: running ? watch.silentMs : 0,
    unansweredMs: running ? watch.unansweredMs : 0,
    busy: seen.busy,
    locksOut: running ? seen.locksOut : null,
    role: running ? seen.role : null,
    lastRole: seen.role ?? memory?.memory?.role ?? null,
    follows: seen.follows,
    linkUp: seen.linkUp && !isUnlisted,
    linkSilentMs: seen.linkSilentMs,
    backlogBytes: seen.backlogBytes,
    synced: seen.synced,
    syncing: seen.syncing,
    offset: seen.offset,
    priority: seen.priority,
    heldBack: heldBack?.ours ?? false,
    behindMs: lag.behindMs(place.id),
    caughtUp: progress.caughtUp,
    awaited: progress.awaited,
    inSync: seen.reachable && running ? seen.inSync : null,
    toldIn: seen.toldIn,
    fenced: seen.reachable && running && seen.fenced,
    word,
    heard: watch.said !== null,
    keys: seen.reachable ? seen.keys : null,
    memory: seen.reachable ? seen.memory : null,
    storeFails: seen.reachable && seen.storeFails,
    writes: running ? watch.writes : null,
    histories: seen.reachable ? seen.histories : [],
    diskKnown: !down || disk !== null,
    dataIntact: !down || memory === null || unguarded || (disk !== null && isDataIntact(memory, disk)),
    dataStale: down && memory !== null && disk !== null && isDataStale(memory, disk),
    kept: down && memory !== null && disk !== null ? keptData(memory, disk) : null,
  };
}
