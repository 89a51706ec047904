import type { Buffer } from 'node:buffer';
import type { RequestLimits } from '../../resp/request.ts';
import type { Command, CommandTable } from '../commands/command-table.ts';
import type { GateConfig } from '../config.ts';
import type { Counters } from '../control/counters.ts';
import type { ServerRuns } from '../upstream/server-runs.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Buffered } from './buffered.ts';
import type { Client } from './gate-client.ts';
import type { Refusal } from './refusal.ts';

/** What a client needs of the door that it came through. */
export interface Router {
  readonly config: GateConfig;
  readonly table: CommandTable;
  readonly counters: Counters;
  readonly requestLimits: RequestLimits;
  /** What this client may send: less before it has authenticated where it must. */
  limitsOf(client: Client): RequestLimits;
  /** Counts what waits in the gate, of all clients. */
  readonly buffered: Buffered;
  /** Writes wait, or everything does. */
  readonly holding: 'none' | 'writes' | 'all';
  /** There is a primary, and it still loads its data. */
  readonly primaryLoads: boolean;
  /** Counts how often everything was held, or a replica lost: a server that is lost before is not of this era. */
  readonly era: number;
  /** Which run of its process each server is in. */
  readonly runs: ServerRuns;
  /** True for a door that refuses some requests. */
  readonly refuses: boolean;
  readonly clients: ReadonlySet<Client>;
  /**
   * The connection that takes this client's next plain request, also remembered as `client.route`; null when it
   * must wait, and then `client.pump` is called when that may have changed.
   */
  routeFor(client: Client): Upstream | null;
  /** The same for a request that changes what its connection is: the client gets one of its own. */
  ownFor(client: Client): Upstream | null;
  /** Takes the client's own connection back if its session no longer needs one. */
  giveBack(client: Client): void;
  /** Closes the client's own connection; its session is put onto a new one when it next needs one. */
  dropOwn(client: Client): void;
  /** Has `client.pump` called when what is held may go on; its requests fail when it took too long. */
  hold(client: Client): void;
  /** The error for a request that this door does not take; null for every other. */
  refuse(client: Client, command: Command): Buffer | null;
  /** A server refused without executing: true when the request is to be sent again, false to pass the error on. */
  onRefusal(client: Client, refusal: Refusal): boolean;
  onClientClosed(client: Client): void;
  /** Whether it is known if this newcomer has to log in (`session.admit`); if not, `client.pump` is called once it is. */
  admit(client: Client): boolean;
  /** The access of this user (latin1) changed, or of everybody (null). */
  onAccessChanged(user: string | null): void;
}
