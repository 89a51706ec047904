import type { RequestLimits } from '../resp/request.ts';
import type { Refusal } from './bounce.ts';
import type { Client } from './client.ts';
import type { Command, CommandTable } from './commands.ts';
import type { GateConfig } from './config.ts';
import type { GateCounters } from './control.ts';
import type { Run } from './run-ring.ts';
import type { Upstream } from './upstream.ts';

/** What a client needs of the door that it came through. */
export interface Router {
  readonly config: GateConfig;
  readonly table: CommandTable;
  readonly counters: GateCounters;
  readonly requestLimits: RequestLimits;
  /** Writes wait, or everything does. */
  readonly holding: 'none' | 'writes' | 'all';
  /**
   * The connection that takes this client's next request; null when it must wait, and then `client.pump` is called
   * when that may have changed.
   */
  upstreamFor(client: Client, command: Command): Upstream | null;
  /** The same for a request that changes what its connection is. */
  ownUpstream(client: Client, command: Command): Upstream | null;
  /** Has `client.pump` called when what is held may go on, or `client.failHeld` when it took too long. */
  hold(client: Client): void;
  /** The error for a request that this door does not take; null for every other. */
  refuse(client: Client, command: Command): Buffer | null;
  /** True for a door that refuses some requests. */
  readonly refuses: boolean;
  /** A server refused without executing: true when the request is to be sent again, false to pass the error on. */
  onRefusal(client: Client, refusal: Refusal, run: Run | null): boolean;
  /** Closes the client's own connection; its session is put onto a new one when it next needs one. */
  dropUpstream(client: Client): void;
  onClientClosed(client: Client): void;
}
