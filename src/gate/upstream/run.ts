import type { Buffer } from 'node:buffer';
import type { MemberAddress } from '../config.ts';

/** How a run was lost: by which server (a run of one), after it was written there or before. */
export interface Loss {
  server: string;
  sent: boolean;
  /** The server had said nothing for long, and this run is among those that it may have been busy with. */
  silent: boolean;
  /** Something of its answer had come. */
  heard: boolean;
  /** What it is answered with if it only reads: its answer came, and may not be shown. Else null. */
  refusal: Buffer | null;
}

/** The same, as a single request is told. */
export interface RequestLoss {
  /** Its bytes were handed to the connection: the server may have executed it. */
  sent: boolean;
  /** Its server may have been lost because of it. */
  suspect: boolean;
  /** Servers that died before this one while they had it. */
  deaths: number;
  /** Something of its answer had come. */
  heard: boolean;
  /** What it is answered with if it only reads: its answer came, and may not be shown. Else null. */
  refusal: Buffer | null;
}

/** Who gets the replies of a connection to a member. */
export interface ReplySink {
  readonly closed: boolean;
  /** Replies may go to it as they come. */
  readonly direct: boolean;
  /** It goes on at the next answer, so what it is answered until then leaves first. */
  readonly expectant: boolean;
  /** Monotonic ms since when its next request waits for a primary; 0 when it doesn't. */
  readonly heldSince: number;
  /** Bytes that it has not read yet. */
  readonly unread: number;
  /** So many of them it may have before a connection stands still that it has for itself. */
  readonly patientBytes: number;
  /** Replies that are its next, as they stand in memory. True when they must stay there. */
  pass(buf: Buffer, start: number, end: number): boolean;
  /** Bytes that are in nobody's turn. */
  write(buf: Buffer, start: number, end: number): void;
  /** One reply to a run of several requests that can't simply be passed on. */
  onReply(run: Run, buf: Buffer, start: number, end: number): void;
  onRunSent(requests: number, bytes: number): void;
  /** So many requests more are in the run that was sent last. */
  onRunExtended(requests: number): void;
  /** @param handled its reply was looked at: it may have changed what the client is */
  onRunDone(run: Run, replyBytes: number, handled: boolean): void;
  /** The run's connection broke. */
  onRunLost(run: Run, loss: Loss): void;
  /** Of what is being sent: servers that died while they had it. */
  readonly deaths: number;
  /** So many ms after it was sent, or held, a run was answered. */
  countAnswered(ms: number, run: Run): void;
  /** There is room for its requests again. */
  resume(): void;
  /** Calls back when it has read what there is, or is gone. */
  whenRead(onRead: () => void): void;
  closeHalfway(): void;
  /** So many bytes of a reply are here that can be passed on only when it is whole. */
  onPart(bytes: number): void;
}

/** Whoever has a connection for itself hears on it what it did not ask for just then. */
export interface Unasked {
  /** What begins with this byte may answer no request. */
  mayBeUnasked(byte: number | undefined): boolean;
  /** Takes a reply that answers no request; false when it answers one after all. */
  takesUnasked(buf: Buffer, start: number, end: number): boolean;
  /** So many bytes of a reply are here that can be passed on only when it is whole. */
  onPart(bytes: number): void;
}

/**
 * Takes the replies of a request that needs more than passing on. `onReply` says whether that was the last one;
 * `onLost` says what becomes of the request when the connection broke first: see replay.ts.
 */
export interface ReplyHandler {
  onReply(buf: Buffer, start: number, end: number): boolean;
  onLost(loss: RequestLoss): void;
  /**
   * Whether this reply shows that the connection is what the gate takes it for. What is not known to be clean is
   * dirty: without that, nobody else gets the connection.
   */
  proves(buf: Buffer, start: number, end: number): boolean;
  /** It waits at the server until something happens; a hold doesn't wait for it. */
  readonly blocking?: boolean;
  /** Its answer need not be waited for: the server said that it waits, or executing it twice changes nothing. */
  readonly waits?: boolean;
  /** Its server said that it waits there. */
  readonly blocked?: boolean;
  /** Some of it has not come from its client: no server can execute it yet, so a hold doesn't wait for it. */
  readonly partial?: boolean;
  /** This server says that it waits there. */
  onBlocked?(member: MemberAddress): void;
}

/**
 * Requests of one client, one after the other in memory, that were sent and wait for their replies. Their bytes
 * are kept until then, so that they can be sent again; only a failover ever looks at them. A client that writes much and
 * reads nothing has a run of which nothing is kept but how many requests it has.
 */
export class Run {
  #client: ReplySink | null = null;
  #handler: ReplyHandler | null = null;
  #kept = true;
  #bytes: Buffer | null = null;
  #start = 0;
  #end = 0;
  #count = 0;
  #left = 0;
  #since = 0;
  #sentMs = 0;
  #writes = false;
  #reads = false;
  #durable = false;
  #deaths = 0;
  #unexecuted: Set<number> | null = null;

  get client(): ReplySink | null {
    return this.#client;
  }

  get handler(): ReplyHandler | null {
    return this.#handler;
  }

  /** Its requests are in `bytes[start, end)`. */
  get kept(): boolean {
    return this.#kept;
  }

  get bytes(): Buffer | null {
    return this.#bytes;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  /** Its requests. */
  get count(): number {
    return this.#count;
  }

  /** How many of them are not answered yet. */
  get left(): number {
    return this.#left;
  }

  /** Monotonic ms when the gate had it, or since when it was held. */
  get since(): number {
    return this.#since;
  }

  /** Monotonic ms before which this connection did not have it. */
  get sentMs(): number {
    return this.#sentMs;
  }

  /** Whether a hold has to wait for it: it may write, and it doesn't block. */
  get writes(): boolean {
    return this.#writes;
  }

  /** There may be long answers among its own. */
  get reads(): boolean {
    return this.#reads;
  }

  /** Whether its answer has to be confirmed where durability is asked for: it may write. */
  get durable(): boolean {
    return this.#durable;
  }

  /** Servers that died while they had it. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Which of its requests, from 0 on, its server did not execute for its client; null: none of them. */
  get unexecuted(): ReadonlySet<number> | null {
    return this.#unexecuted;
  }

  /** Its replies are passed on as they come. */
  get plain(): boolean {
    const client = this.#client;
    return this.#handler === null && client !== null && client.direct;
  }

  /** So many whole requests are this run from now on. */
  begin(client: ReplySink | null, count: number, writes: boolean, handler: ReplyHandler | null): void {
    this.#client = client;
    this.#handler = handler;
    this.#count = count;
    this.#left = count;
    this.#kept = true;
    this.#writes = writes;
    this.#reads = !writes;
    this.#durable = writes || handler?.blocking === true;
    this.#unexecuted = null;
  }

  /** Requests of which nothing is kept are this run from now on: there is none yet, see `extend`. */
  beginUnkept(client: ReplySink, nowMs: number): void {
    this.begin(client, 0, false, null);
    this.#kept = false;
    this.#start = 0;
    this.#end = 0;
    this.#since = nowMs;
  }

  /** Its bytes are there. */
  lieIn(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** Its connection has it. @param sinceMs since when the gate has it, or holds it */
  sent(nowMs: number, sinceMs: number, deaths: number): void {
    this.#sentMs = nowMs;
    this.#since = sinceMs;
    this.#deaths = deaths;
  }

  /** Whether there may be long answers among its own, as far as its sender knows. */
  mayRead(reads: boolean): void {
    this.#reads = reads;
  }

  /** Its answer has to be confirmed, though it may not write. */
  mustBeConfirmed(): void {
    this.#durable = true;
  }

  /** Something of it may write. */
  mayWrite(): void {
    this.#writes = true;
    this.#durable = true;
  }

  /** So many requests more are in it. */
  extend(requests: number): void {
    this.#count += requests;
    this.#left += requests;
  }

  /** The one that is answered now was not executed, or is sent again. */
  leaveOut(): void {
    this.#unexecuted ??= new Set();
    this.#unexecuted.add(this.#count - this.#left);
  }

  /** One of its requests is answered. Returns how many are not. */
  answered(): number {
    return --this.#left;
  }

  /** Nobody waits for its answers any more: `handler` takes them. */
  abandonTo(handler: ReplyHandler): void {
    this.#client = null;
    this.#handler = handler;
  }

  /** Lets its memory go. */
  forget(): void {
    this.#client = null;
    this.#handler = null;
    this.#bytes = null;
  }
}

/** No server can execute it yet. */
export const isPartial = ({ handler }: Run): boolean => handler?.partial === true;
