/**
 * Watches one member: asks it every second how it is, and keeps what it last said. A member of this host is asked
 * over its Unix socket, one of another host over the network.
 */
import type { Clock } from '../../base/clock.ts';
import { errorCode } from '../../base/errors.ts';
import { FreshCall } from '../../base/fresh-call.ts';
import type { ConnectionOptions } from '../../redis/connection.ts';
import type { Endpoint } from '../../redis/endpoint.ts';
import { refusalKind, refusalReply } from '../../redis/errors.ts';
import { type Info, keyCount, type ReplicationInfo, replicationInfo } from '../../redis/info.ts';
import { MemberClient } from '../../redis/member-client.ts';
import { isPaused } from '../../redis/paused.ts';
import {
  epochField,
  fencedField,
  inSyncField,
  type LeadsSince,
  leadsField,
} from '../../stream/lead-position.ts';
import { decodeInSync, type InSyncRecord } from '../../topology/in-sync-record.ts';
import type { Busy, MemberRole, MemberView, MemoryRoom, WriteTrouble } from '../../topology/view.ts';
import { type MemberVitals, vitalsOf } from './member-vitals.ts';
import { memoryRoomOf } from './memory-room.ts';
import { Silence } from './silence.ts';
import { WriteProbe } from './write-probe.ts';

/** What a member last said of itself. Offsets in bytes. */
export interface MemberObservation {
  reachable: boolean;
  /** Its host says that nobody listens there. */
  refuses: boolean;
  busy: Busy | null;
  /** It answers, and does not let this agent ask: what it said instead. The rest is what it said before. */
  locksOut: string | null;
  role: MemberRole | null;
  follows: { address: string; port: number } | null;
  linkUp: boolean;
  /** For how long nothing has come over the link, or how long ago that broke, in ms. */
  linkSilentMs: number;
  /** How much of what it sent it keeps for replicas that come back; 0 when it keeps nothing, or does not say. */
  backlogBytes: number;
  synced: boolean;
  syncing: boolean;
  offset: number;
  replId: string;
  /** Of a primary: the replicas that it lists as online, and what each has acknowledged. */
  onlineReplicas: readonly { address: string; port: number; offset: number }[];
  /** Its replication history's id, and that of the one before. */
  histories: readonly string[];
  priority: number;
  /** Of a standalone one: who is in sync with the one that leads, by its own data. */
  inSync: InSyncRecord | null;
  /** Of a standalone one: in which epoch it was told last who leads, and whether no stream writes to it until it is told again. */
  toldIn: number;
  fenced: boolean;
  /** Of a standalone one that says that it leads: to this process, or to one before it; null when it does not say so. */
  leads: LeadsSince | null;
  keys: number | null;
  /** Whether there is room for more; null when it never said. */
  memory: MemoryRoom | null;
  /** Without an AOF: changes since the last RDB was written; 0 with one. */
  unsavedChanges: number;
  /** It can't write its AOF: what it has lately taken is in none of its files. */
  storeFails: boolean;
  /** Which process of it this is: Redis makes a new one at each start. */
  runId: string;
  /** Figures for monitoring, which nothing is decided by; null when it didn't answer the last question. */
  vitals: MemberVitals | null;
}

export const nothingKnown: MemberObservation = {
  reachable: false,
  refuses: false,
  busy: null,
  locksOut: null,
  role: null,
  follows: null,
  linkUp: false,
  linkSilentMs: 0,
  backlogBytes: 0,
  synced: false,
  syncing: false,
  offset: 0,
  replId: '',
  onlineReplicas: [],
  histories: [],
  priority: 100,
  inSync: null,
  toldIn: 0,
  fenced: false,
  leads: null,
  keys: null,
  memory: null,
  unsavedChanges: 0,
  storeFails: false,
  runId: '',
  vitals: null,
};

/** What a server says is shown up to here. */
const longestText = 200;

/** Where there never was a link, some versions count from 1970. */
const longestOutageSeconds = 10 * 365 * 24 * 3600;

/** Who leads, by a standalone member's own data; `whom` null for itself, undefined when they don't say. */
interface MemberWord {
  whom: { address: string; port: number } | null | undefined;
  epoch: number;
  settled: boolean;
}

function wordOf({ role, follows, leads, toldIn: epoch }: MemberObservation): MemberWord {
  if (role === 'replica') return { whom: follows ?? undefined, epoch, settled: true };
  return { whom: leads === null ? undefined : null, epoch, settled: leads === 'now' };
}

export type OpenMember = (options: ConnectionOptions) => MemberClient;

export class MemberWatch {
  readonly client: MemberClient;
  #seen: MemberObservation = nothingKnown;
  readonly #question = new FreshCall(() => this.#ask());
  readonly #endpoint: Endpoint;
  readonly #connection: ConnectionOptions;
  readonly #open: OpenMember;
  /** Of a member of this host. */
  readonly #probe: WriteProbe | null;
  readonly #clock: Clock;
  #silence: Silence;
  #lastAnswer: MemberView['lastAnswer'] = null;
  #said: MemberWord | null = null;

  /** @param open how it is asked: as one that replicates, or as a standalone one. */
  constructor(
    connection: ConnectionOptions,
    clock: Clock,
    open: OpenMember = (options) => new MemberClient(options),
  ) {
    this.#open = open;
    this.client = open(connection);
    this.#endpoint = connection.endpoint;
    this.#connection = connection;
    this.#probe =
      'path' in connection.endpoint ? new WriteProbe(new MemberClient(connection).connection, clock) : null;
    this.#clock = clock;
    this.#silence = new Silence(clock);
  }

  /** Another connection to it, which whoever asks for it has to close. */
  connect(): MemberClient {
    return this.#open(this.#connection);
  }

  get seen(): MemberObservation {
    return this.#seen;
  }

  /** That a write did not pass when it was tried, as long as it is primary; null when it did, and for a member of another host. */
  get writes(): WriteTrouble | null {
    const isAsked = this.#seen.reachable && this.#seen.role === 'primary' && this.#seen.locksOut === null;
    return isAsked ? (this.#probe?.trouble(this.lastAnswerMs) ?? null) : null;
  }

  /** Since when it has answered each question, on the monotonic clock; null while it does not. */
  get answersSinceMs(): number | null {
    return this.#silence.answersSinceMs;
  }

  /** When it answered last, or began to be watched; on the monotonic clock. */
  get lastAnswerMs(): number {
    return this.#silence.lastAnswerMs;
  }

  /** When it answered last, and what is worth showing of that; also of the process before. Null before the first answer. */
  get lastAnswer(): MemberView['lastAnswer'] {
    return this.#lastAnswer;
  }

  /** Who leads, as a standalone member said last; also of the process before. Null before it said anything of itself. */
  get said(): MemberWord | null {
    return this.#said;
  }

  /** How long it has been silent; 0 as long as it may be our own fault. */
  get silentMs(): number {
    return this.#silence.silentMs;
  }

  /** How long the oldest question without an answer has waited. */
  get unansweredMs(): number {
    return this.#silence.unansweredMs;
  }

  /** Forgets what the process before said: to be called when it died, and when another one starts. */
  reset(): void {
    this.#seen = nothingKnown;
    if (this.#said !== null) this.#said = { ...this.#said, settled: false };
    this.#silence = new Silence(this.#clock);
    this.client.connection.drop();
    this.#probe?.reset();
  }

  close(): void {
    this.client.close();
    this.#probe?.reset();
  }

  /** Asks: what is seen then is younger than this call. Never throws: no answer is an observation too. */
  look(): Promise<void> {
    return this.#question.make();
  }

  async #ask(): Promise<void> {
    this.#silence.asked();
    try {
      const info = await this.client.info();
      const seen = observe(info, this.#seen);
      this.#answered({ ...seen, busy: isLoading(info) ? this.#busy('loading') : null });
      if (seen.role === 'primary') this.#probe?.look();
    } catch (error) {
      await this.#failed(error);
    }
  }

  #busy(code: Busy['code']): Busy {
    const { busy } = this.#seen;
    if (busy?.code === code) return busy;
    return { code, sinceMs: this.#clock.monotonicMs() - this.#silence.unansweredMs };
  }

  #answered(seen: MemberObservation): void {
    this.#seen = seen;
    if (!seen.busy && seen.locksOut === null) this.#said = wordOf(seen);
    this.#silence.answered();
    this.#lastAnswer = { atMs: this.#clock.monotonicMs(), offset: seen.offset };
  }

  async #failed(error: unknown): Promise<void> {
    const refusal = refusalKind(error);
    if (refusal !== undefined) {
      const code = busyBy.get(refusal);
      if (code === undefined) this.#lockedOut(refusalReply(error)?.text ?? refusal);
      else
        this.#answered({
          ...this.#seen,
          reachable: true,
          refuses: false,
          busy: this.#busy(code),
          locksOut: null,
        });
      return;
    }
    // A server that is paused (CLIENT PAUSE … ALL) keeps every command, and INFO with them.
    // Only of our own members, which are to be killed when they hang.
    if ('path' in this.#endpoint && (await isPaused(this.#endpoint, this.#connection.tls))) {
      this.#answered({
        ...this.#seen,
        reachable: true,
        refuses: false,
        busy: this.#busy('paused'),
        locksOut: null,
      });
      return;
    }
    this.#silence.missed();
    this.#seen = {
      ...this.#seen,
      reachable: false,
      refuses: isRefusedConnection(error),
      locksOut: null,
      vitals: null,
    };
  }

  /** It lives, and has said nothing of itself: that is no answer to be shown as one. */
  #lockedOut(text: string): void {
    const locksOut = text.slice(0, longestText);
    this.#seen = { ...this.#seen, reachable: true, refuses: false, busy: null, locksOut, vitals: null };
    this.#silence.answered();
  }
}

const busyBy: ReadonlyMap<string, Busy['code']> = new Map([
  ['BUSY', 'script'],
  ['LOADING', 'loading'],
]);

function isLoading(info: Info): boolean {
  return info['loading'] === '1' || info['async_loading'] === '1';
}

/** The host's kernel says it: no process has the port open. */
function isRefusedConnection(error: unknown): boolean {
  return error instanceof Error && errorCode(error.cause) === 'ECONNREFUSED';
}

/**
 * Whether it has once been in sync as a replica, in the life of its process. An agent that has just started knows by the
 * age of the broken link that there was one.
 */
function wasSynced(
  { linkDownSeconds, priority }: ReplicationInfo,
  runId: string,
  before: MemberObservation,
): boolean {
  if (before.runId !== '' && before.runId !== runId) return false;
  // Its agent has just said that it may be promoted.
  if (before.role === 'replica' && before.priority === 0 && priority > 0) return true;
  if (before.role !== null) return before.role === 'replica' && before.synced;
  return linkDownSeconds !== undefined && linkDownSeconds >= 0 && linkDownSeconds < longestOutageSeconds;
}

function leadsSince(text: string | undefined): LeadsSince | null {
  return text === 'now' || text === 'before' ? text : null;
}

/** @param before what it said last, of this process or the one before. */
export function observe(info: Info, before: MemberObservation): MemberObservation {
  const replication = replicationInfo(info);
  const runId = info['run_id'] ?? '';
  const isReplica = replication.role === 'replica';
  const linkUp = isReplica && replication.linkUp;
  const { primaryAddress, primaryPort } = replication;
  // Port 0: a standalone member that says nothing of whom it follows.
  const follows =
    replication.role === 'replica' &&
    primaryAddress !== undefined &&
    primaryPort !== undefined &&
    primaryPort > 0
      ? { address: primaryAddress, port: primaryPort }
      : null;
  return {
    reachable: true,
    refuses: false,
    busy: null,
    locksOut: null,
    role: replication.role,
    follows,
    linkUp,
    linkSilentMs:
      1000 * (linkUp ? replication.linkSilentSeconds : Math.max(0, replication.linkDownSeconds ?? 0)),
    backlogBytes: replication.backlogBytes,
    synced: linkUp || (isReplica && wasSynced(replication, runId, before) && !replication.syncing),
    syncing: replication.syncing,
    offset: replication.offset,
    replId: replication.replId,
    onlineReplicas: isReplica ? [] : replication.replicas.filter(({ online }) => online),
    histories: [replication.replId, replication.replIdBefore],
    priority: replication.priority,
    inSync: decodeInSync(info[inSyncField]),
    toldIn: Number(info[epochField] ?? 0),
    fenced: info[fencedField] === '1',
    leads: leadsSince(info[leadsField]),
    keys: keyCount(info),
    memory: memoryRoomOf(info, before.runId === runId ? before.memory : null),
    unsavedChanges: info['aof_enabled'] === '1' ? 0 : Number(info['rdb_changes_since_last_save'] ?? 0),
    storeFails: info['aof_enabled'] === '1' && info['aof_last_write_status'] === 'err',
    runId,
    vitals: vitalsOf(info),
  };
}
