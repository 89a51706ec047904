import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { RequestFrame, RequestLimits } from '../../resp/request.ts';
import type { Command, CommandTable } from '../commands/command-table.ts';
import type { GateConfig } from '../config.ts';
import type { ClosedFor } from '../control/control-api.ts';
import type { Counters } from '../control/counters.ts';
import type { AckWatch } from '../upstream/ack-watch.ts';
import type { BlockedWatch } from '../upstream/blocked-watch.ts';
import type { Login } from '../upstream/identity.ts';
import type { Run } from '../upstream/run.ts';
import type { ServerRuns } from '../upstream/server-runs.ts';
import type { Tenant } from '../upstream/tenant.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Apart } from './apart.ts';
import type { Buffered } from './buffered.ts';
import type { ClientOutput } from './client-output.ts';
import type { Flow } from './flow.ts';
import type { Refusal } from './refusal.ts';
import type { RequestBuffer } from './request-buffer.ts';
import type { Again, RetryQueue } from './retry-queue.ts';
import type { Session } from './session.ts';

/**
 * At a gate with routes: where requests go. A client is at one of them at a time, and goes to another when nothing of it is
 * under way, so that the order of its requests, and what is known of its connection, stay what they are without routes.
 */
export interface Routes {
  /** What is where is known only once the server has said which arguments are keys. */
  readonly ready: boolean;
  /** Whether a plain request is for where this client is, as it stands. */
  takes(client: Client, command: Command, buf: Buffer, frame: RequestFrame): boolean;
  /** Sends or answers the request in `buf[start, end)`, where it belongs: false when it must wait. */
  turn(client: Client, command: Command, buf: Buffer, start: number, end: number): boolean;
  /** Memory that is kept of a request which is answered in parts. */
  keptBytes(client: Client): number;
  /** The client's next request is answered with this error instead. Returns what it says, if a part of it was done. */
  abandon(client: Client, error: string): string;
  /** So many requests were sent where this client is. */
  count(client: Client, requests: number): void;
  /** Whether a request of which only the beginning is here may be passed on as it comes; its client is where it belongs then. */
  passes(client: Client, command: Command): 'yes' | 'wait' | 'keep';
}

/** At a gate with mirrors of requests: gets copies of what was executed, and takes its time. */
export interface Copies {
  /** These plain requests of the client were answered. What its server refused it is no business of others. */
  take(client: Client, run: Run): void;
  /** So many requests are passed on and not kept: there is no copy of them. */
  skip(client: Client, requests: number): void;
}

/** What a client needs of the listener that it came through. */
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
  /** How many replicas have what was written. */
  readonly acks: AckWatch;
  /** Which blocking commands wait at their server. */
  readonly blocked: BlockedWatch;
  /** True for a port that refuses some requests. */
  readonly refuses: boolean;
  /** Null at a gate that has one place to send to. */
  readonly routes: Routes | null;
  /** Null at a gate without mirrors of requests, and where a route leads to. */
  readonly copies: Copies | null;
  readonly clients: ReadonlySet<Client>;
  /**
   * The connection that takes this client's next request; null when it must wait, and then `client.pump` is called when
   * that may have changed.
   * @param writes it may write: it waits while writes are held
   * @param own it changes what its connection is, or must not wait on a shared one: the client gets one of its own
   */
  route(client: Client, writes: boolean, own?: boolean): Upstream | null;
  /** Gives a client that stands for more than its requests a connection of its own, at once. */
  stand(client: Client): void;
  /** Takes the client's own connection back if its session no longer needs one. */
  giveBack(client: Client): void;
  /** Closes the client's own connection; its session is put onto a new one when it next needs one. */
  dropOwn(client: Client): void;
  /** Has `client.pump` called when what is held may go on; its requests fail when it took too long. */
  hold(client: Client): void;
  /** The error for a request that this port does not take; null for every other. */
  refuse(client: Client, command: Command): Buffer | null;
  /** A server refused without executing: true when the request is to be sent again, false to pass the error on. */
  onRefusal(client: Client, refusal: Refusal): boolean;
  onClientClosed(client: Client): void;
  /** The client goes elsewhere: nothing of it is under way here. */
  leave(client: Client): void;
  /** Whether it is known if this newcomer has to log in (`session.admit`); if not, `client.pump` is called once it is. */
  admit(client: Client): boolean;
  /** The access of this user (latin1) changed, or of everybody (null). */
  onAccessChanged(user: string | null): void;
}

/** A client, as those see it who handle its requests. Its own class changes it; they ask it to. */
export interface Client extends Tenant {
  readonly id: number;
  /** Its address and port, as a load balancer gave them if there is one. */
  readonly address: string;
  readonly socket: Socket;
  readonly router: Router;
  readonly session: Session;
  readonly requests: RequestBuffer;
  readonly retries: RetryQueue;
  readonly output: ClientOutput;
  readonly flow: Flow;
  readonly apart: Apart;
  /** When it came: ms since 1970, and monotonic. */
  readonly since: number;
  readonly cameAt: number;
  readonly lastCommand: string;
  /** Bytes that the gate keeps for it. */
  readonly heldBytes: number;
  /** Takes note of `heldBytes`, and returns how many more that is than last time. */
  recount(): number;
  /** How many that were then. */
  readonly counted: number;
  /** Whether it wants replies: `skip` not the next one. */
  readonly replies: 'on' | 'off' | 'skip';
  setReplies(mode: 'on' | 'off' | 'skip'): void;
  /** It goes on when nothing is in flight any more. */
  readonly waiting: boolean;
  /** Its next request waits for a primary. False when that was so before, or there is none. */
  startHold(): boolean;
  /** It waits no more. */
  endHold(): void;
  /** A request for this command was sent or answered. */
  onSent(command: Command): void;
  /** Of what is being sent: so many servers died while they had it. */
  survived(deaths: number): void;
  /**
   * Its next answer is on its way, and comes from the gate itself: until then nothing more is sent or answered.
   * @param start has it made, and returns how to give up
   */
  park(start: (done: (reply: Buffer) => void) => () => void): void;
  /** What comes next waits for the answer to what was sent last. */
  settle(): void;
  /**
   * Its requests go there from now on. False when something of it is under way here; then it is pumped when that is over.
   * @param standIn as whom; null: as itself
   */
  goTo(router: Router, standIn: Login | null): boolean;
  /** Sends or answers one request: false when it must wait. */
  sendOne(command: Command, buf: Buffer, start: number, end: number): boolean;
  /** Has the request sent again when everything that is in flight was answered. */
  sendAgain(item: Again): void;
  /** What answers it is kept in the gate, if it does not read. */
  readOn(): void;
  /** Writes are held, or are not any more. */
  onHolding(): void;
  /** A reply that is its next: written at once, or kept while an earlier request is sent again. */
  deliver(buf: Buffer, start: number, end: number): void;
  /** A confirmation of a subscription: CLIENT REPLY does not silence it. */
  confirm(buf: Buffer, start: number, end: number): void;
  /** Answers with an error after everything before it, and closes the connection then. */
  fail(text: string, reason?: ClosedFor): void;
  /** Its session is let in nowhere: one error ends it, whatever of it still waits. */
  refuseSession(error: string): void;
  /** Closes the connection once everything before this is answered. */
  end(): void;
  /** @param reason when it is the gate that wants no more of it. @param last is said before */
  close(reason?: ClosedFor, last?: Buffer): void;
}
