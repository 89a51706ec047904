import type { Endpoint, MemberAddress } from './config.ts';

/**
 * The gate's control API: HTTP with JSON bodies over its Unix socket. The one who asks may go away and another may
 * come: nothing here belongs to a connection.
 *
 * GET  /status                       GateStatus
 * POST /hold    {reason, maxMs}      stop sending writes; answers once those in flight were answered
 * POST /switch  {address, port}      the primary is now this one: checked by ROLE, then what was held goes there
 * POST /release {}                   go on with the present primary
 * POST /drain   {graceMs}            take no new clients, finish, exit
 */

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
  /** Sentinels that answer, and how many are a majority. */
  sentinelsSeen: number;
  sentinelsNeeded: number;
  connections: { shared: number; private: number };
  counters: GateCounters;
}

export interface GateCounters {
  commands: number;
  clientsAccepted: number;
  clientsRefused: number;
  /** Requests that waited for a primary, and those of them that waited in vain. */
  held: number;
  heldInVain: number;
  /** Reads sent again after a connection broke; commands sent again after a refusal that executed nothing. */
  replayed: number;
  bounced: number;
  /** Writes answered with UNCERTAIN. */
  uncertain: number;
  switches: number;
  bytesIn: number;
  bytesOut: number;
  errors: number;
}

export interface HoldRequest {
  reason: string;
  /** Released by itself after this long. */
  maxMs: number;
}

export interface HoldResult {
  /** False when writes were still unanswered at the deadline; the hold stands all the same. */
  drained: boolean;
}

export type SwitchRequest = Endpoint;

export interface DrainRequest {
  graceMs: number;
}
