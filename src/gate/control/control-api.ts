import type { CommandClass } from '../commands/command-table.ts';
import type { Endpoint, MemberAddress } from '../config.ts';
import type { Latency } from './latency.ts';

/**
 * The gate's control API: HTTP with JSON bodies over its Unix socket. The one who asks may go away and another may
 * come: nothing here belongs to a connection.
 *
 * GET  /status                       GateStatus
 * GET  /connections                  ConnectionView[]: what each connection to a member is taken for
 * GET  /clients                      GateClients
 * POST /hold    {reason, maxMs, next?, patient?}  stop sending writes; answers once those in flight were answered
 * POST /switch  {address, port, epoch?}      the primary is now this one: checked by ROLE, then what was held goes there
 * POST /release {}                   go on with the present primary
 * POST /places  {members, sentinels, passwords?}   who belongs to the deployment from now on, and the gate's own passwords
 * POST /move    {to, onlyCheck?}   clients go on at the members, or back to the predecessor; answers once that one serves them
 * POST /drain   {graceMs}            take no new clients, finish, exit
 */

/** With several workers, everything that counts is the sum over them, and starts again in a worker that is replaced. */
export interface GateStatus {
  id: string;
  pid: number;
  state: 'open' | 'holding' | 'refusing';
  /** Why it holds or refuses; or what is unusual though it is open. */
  reason: string | null;
  primary: MemberAddress | null;
  /** Wall-clock ms since when this one is primary for the gate. */
  primarySince: number | null;
  clients: number;
  /** Clients whose next command waits for a primary. */
  held: number;
  /** The most that there were of them at one time, in this second and the one before: a failover is over sooner than that. */
  heldLately: number;
  /** Sentinels that answer, and how many are a majority. */
  sentinelsSeen: number;
  sentinelsNeeded: number;
  /** Of a gate that was put before another server first: whether that one serves the clients. */
  predecessor: 'serves' | 'left' | null;
  /** Open to members: shared by clients that are alike, or one client's own (or kept for the next that needs one). */
  connections: { shared: number; private: number };
  /** Whether the server's table of commands has been read; until then every command counts as one that may write. */
  commandsKnown: boolean;
  /** By the id of each route: what was sent there, and whether it can be. */
  routes: Record<string, RouteStatus>;
  /** By the id of each mirror of requests. */
  mirrors: Record<string, RequestMirrorStatus>;
  counters: GateCounters;
  /** `counters.commands` by command, subcommands as `client|setname`; what never came is left out. */
  commands: Record<string, number>;
  /** The same by class: docs/gate.md says what each is. */
  classes: Record<CommandClass, number>;
  /**
   * Error replies that clients got, by their first word (`WRONGTYPE`, `NOPRIMARY`, `UNCERTAIN`…), whether the server
   * or the gate made them. An error inside an EXEC's array is not looked for. After 64 kinds, further ones are `OTHER`.
   */
  errors: Record<string, number>;
  /** Clients that the gate closed, by why. */
  closed: Record<ClosedFor, number>;
  /**
   * From when the gate had read a request until it passed the answer on, holding included, blocking commands not.
   * Of a pipeline that went to the server in one piece, each request counts with the time of the last one. `write` is
   * for every pipeline with a request in it that may write. A request that is sent again counts from then.
   */
  latency: { read: Latency; write: Latency };
  process: GateProcess;
  /** Of `gate.workers`: how many there should be and are, and how often one was started again. */
  workers: { wanted: number; running: number; restarts: number };
}

/** Of one route. */
export interface RouteStatus {
  /** Requests that were sent there. */
  requests: number;
  /** Clients that wait for it. */
  held: number;
  state: 'open' | 'holding';
  /** Why it holds. */
  reason: string | null;
  /** Faults that were made on purpose: requests that waited, and that were answered with an error. */
  faults: { delayed: number; failed: number };
}

/** Of one mirror of requests; what counts only grows. Beside `latency` and `errors` of the gate it says how the mirror does. */
export interface RequestMirrorStatus {
  /** `waiting`: it can't be reached, and what is to be copied is dropped. */
  state: 'open' | 'waiting';
  /** Why it waits. */
  reason: string | null;
  /** Requests that were sent there. */
  copied: number;
  /**
   * Requests that were to be copied and were not: more waited than may, it could not be reached, nobody knew their
   * keys, or they were too long.
   */
  dropped: number;
  /** Requests of `copied` that were not answered. */
  failed: number;
  /** Of copies that are not answered yet. */
  queuedBytes: number;
  /** Error replies, by their first word. */
  errors: Record<string, number>;
  /** From when a copy was sent until its answer; of several that went out in one write, until the last one's. */
  latency: { read: Latency; write: Latency };
}

/** Who is connected: all of them counted, the first thousand told. */
export interface GateClients {
  total: number;
  clients: GateClientInfo[];
}

/** A client, as it is shown to people. What it calls itself is its own words. */
export interface GateClientInfo {
  address: string;
  name: string;
  user: string;
  port: 'read-write' | 'read-only';
  ageMs: number;
  /** Empty before the first. */
  lastCommand: string;
  /** Its next command waits for a primary. */
  held: boolean;
  /** It has a connection of its own. */
  private: boolean;
  db: number;
}

/** Since the gate started; each only grows. */
export interface GateCounters {
  /** Requests that were sent on or answered; one that is sent again counts again. */
  commands: number;
  clientsAccepted: number;
  /** Turned away because `limits.clients` were there. */
  clientsRefused: number;
  /** Requests that waited for a primary, and those of them that waited in vain. */
  held: number;
  heldInVain: number;
  /** Reads sent again after a connection broke; commands sent again after a refusal that executed nothing. */
  replayed: number;
  retried: number;
  /** Writes answered with UNCERTAIN. */
  uncertain: number;
  /** Changes of primary, and those of them to one that lacks what was acknowledged with `durability: replicated`. */
  switches: number;
  lossySwitches: number;
  /** From clients, and to them. */
  bytesIn: number;
  bytesOut: number;
}

/**
 * `protocol`: sent what is not RESP. `session`: the new primary does not let it in (its password changed).
 * `slow-reader`: more replies unread than `limits.replyBytes`. `waiting`: brought the requests in the gate beyond
 * `limits.totalBytes`. `unauthenticated`: too long without a password. `half-reply`: its server died in the middle of
 * a long reply.
 */
export type ClosedFor = 'protocol' | 'session' | 'slow-reader' | 'waiting' | 'unauthenticated' | 'half-reply';

/** What the gate costs its host. */
export interface GateProcess {
  rssBytes: number;
  /** Processor time, user and system, of all threads. */
  cpuMs: number;
  /** How long the event loop worked, and how long it waited: a worker that never waits is at its limit. */
  loopActiveMs: number;
  loopIdleMs: number;
  upMs: number;
}

export interface HoldRequest {
  reason: string;
  /** Released by itself after this long. */
  maxMs: number;
  /** The member that is to be primary, where that is known: what the switch will need there is made ready meanwhile. */
  next?: Endpoint;
  /** Clients wait as long as it lasts, also for longer than the gate's `holdMs`. */
  patient?: boolean;
}

export interface HoldResult {
  /** False when writes were still unanswered at the deadline; the hold stands all the same. */
  drained: boolean;
}

export interface SwitchRequest extends Endpoint {
  /** Under which the caller was elected for this change: the gate refuses one that is not above its primary's. */
  epoch?: number;
}

export interface PlacesRequest {
  members: MemberAddress[];
  sentinels: Endpoint[];
  /** The gate's own on members and Sentinels, for connections that are opened from now on. */
  passwords?: GatePasswords;
}

export interface GatePasswords {
  member: string | null;
  sentinel: string | null;
}

export interface MoveRequest {
  to: 'members' | 'predecessor';
  /** Whether it could be done now, and no more. */
  onlyCheck?: boolean;
}

export interface DrainRequest {
  graceMs: number;
}
