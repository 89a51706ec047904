import { Buffer } from 'node:buffer';
import { writeRequest } from '../../resp/write.ts';
import type { Step } from '../upstream/identity.ts';
import { besideABuffer } from './kept-bytes.ts';

/** What the server queued: as the client sent it, and as a server is told. */
export interface QueuedRequest {
  readonly request: Buffer;
  readonly asked: Buffer;
}

/** Stands for a request that is not kept. */
const nothing: QueuedRequest = { request: Buffer.alloc(0), asked: Buffer.alloc(0) };
/** What one that is not kept still takes. */
const bytesOfAPlace = 8;
/** A server refuses it in a transaction, and has its EXEC fail. It counts the arguments before it asks what is allowed. */
const spoiling = writeRequest(['GET']);

/**
 * The transaction of one client, as the server has it and as it must be put onto another one. Only its client calls
 * these methods, in the order in which it sends (`send…`) and in which the server answers (`on…`).
 */
export class Transaction {
  #open = false;
  /** So many MULTI were sent and not answered. */
  #asked = 0;
  #settles = false;
  /** MULTI and what the server queued behind it; null outside of one. */
  #queued: QueuedRequest[] | null = null;
  #bytes = 0;
  /** So many requests are kept. */
  #kept = 0;
  /** It is too long to be kept, so it can't be restored. */
  #forgetful = false;
  /** It should have been restored, and can't be. */
  #lost = false;
  /** EXEC has to fail; the server knows that, or has to be told. */
  #spoiled: 'no' | 'here' | 'at the server' = 'no';
  #watching = false;
  /** Watched keys can't be watched across a change of primary: EXEC answers as if they had changed. */
  #watchBroken = false;

  /** MULTI was sent, and no EXEC or DISCARD after it. */
  get open(): boolean {
    return this.#open;
  }

  /** Whether the server lets it begin is not known: what is sent behind it is queued, or executed. */
  get unsure(): boolean {
    return this.#open && this.#asked > 0;
  }

  /** The server has begun it. */
  get begun(): boolean {
    return this.#queued !== null;
  }

  /** The server has begun it, and nothing more: it can be begun elsewhere instead. */
  get fresh(): boolean {
    return this.#open && this.#queued?.length === 1 && !this.#watching && this.#spoiled === 'no';
  }

  get forgetful(): boolean {
    return this.#forgetful;
  }

  /** What the server queued, as the client sent it. */
  get requests(): Buffer[] {
    return this.#queued?.slice(1).map(({ request }) => request) ?? [];
  }

  /** How many requests the server queued. */
  get count(): number {
    return Math.max(0, (this.#queued?.length ?? 0) - 1);
  }

  /** Memory that the requests take which are kept of it. */
  get keptBytes(): number {
    return this.#bytes + this.#kept * besideABuffer + this.count * bytesOfAPlace;
  }

  /** It needs the connection that it has. */
  get holdsConnection(): boolean {
    return this.#open || this.#queued !== null || this.#watching;
  }

  /** Why its EXEC can't be sent; null when it can. */
  get broken(): 'lost' | 'watch' | null {
    if (this.#spoiled !== 'no') return null;
    if (this.#lost) return 'lost';
    return this.#watchBroken ? 'watch' : null;
  }

  sendMulti(): void {
    this.#open = true;
    this.#asked++;
  }

  /** @param settles what it does changes what the requests behind EXEC mean */
  sendQueued(settles: boolean): void {
    this.#settles ||= settles;
  }

  /** EXEC or DISCARD is sent. True when what comes behind it must wait for its answer. */
  sendEnd(): boolean {
    const settles = this.#settles;
    this.#open = false;
    this.#settles = false;
    return settles;
  }

  onMulti(request: Buffer, accepted: boolean): void {
    this.#asked = Math.max(0, this.#asked - 1);
    if (accepted) this.#queued = [{ request, asked: request }];
    // What is open may be of another MULTI, behind an EXEC.
    else if (this.#asked === 0) this.#open = false;
  }

  /** Beyond `limitBytes` only what EXEC's answer has to be read for is kept (`keep`); null: it was too long to be kept. */
  onQueued(queued: QueuedRequest | null, keep: boolean, limitBytes: number): void {
    if (this.#queued === null) return;
    const bytes = queued?.request.length ?? 0;
    this.#forgetful ||= queued === null || this.#bytes + bytes > limitBytes;
    if (queued === null || (this.#forgetful && !keep)) this.#queued.push(nothing);
    else {
      this.#bytes += bytes;
      this.#kept++;
      this.#queued.push(queued);
    }
  }

  /** The server would not queue something. */
  onRefused(): void {
    if (this.#queued !== null) this.#spoiled = 'at the server';
  }

  /** The server would not end it: DISCARD was not allowed. */
  onKept(): void {
    this.#open = true;
    this.onRefused();
  }

  /** Something was refused here, where the server does not see it. */
  spoil(): void {
    if (this.#spoiled === 'no') this.#spoiled = 'here';
  }

  /** What the server must be sent before EXEC, so that it fails; null when it knows. */
  tellServer(): Buffer | null {
    if (this.#spoiled !== 'here') return null;
    this.#spoiled = 'at the server';
    return spoiling;
  }

  onWatch(): void {
    this.#watching = true;
  }

  onUnwatch(): void {
    this.#watching = false;
    this.#watchBroken = false;
  }

  /** It is over: executed, discarded or aborted. What is open again by then stays open. */
  end(): void {
    const [open, asked, settles] = [this.#open, this.#asked, this.#settles];
    this.reset();
    [this.#open, this.#asked, this.#settles] = [open, asked, settles];
  }

  reset(): void {
    this.#open = false;
    this.#asked = 0;
    this.#settles = false;
    this.#queued = null;
    this.#bytes = 0;
    this.#kept = 0;
    this.#forgetful = false;
    this.#lost = false;
    this.#spoiled = 'no';
    this.onUnwatch();
  }

  /** What was sent and has to be sent again is forgotten. True when the connection has more than that. */
  rewind(): boolean {
    const changed = this.#open || this.#queued !== null;
    this.#open = this.#queued !== null;
    this.#asked = 0;
    return changed;
  }

  /** A new connection is about to be put into this state: what can't be restored makes EXEC fail. */
  onMove(): void {
    if (this.#watching) this.#watchBroken = true;
    if (this.#forgetful) this.#lost = true;
  }

  /** The requests that put a new connection into it. */
  restoring(): Step[] {
    if (this.#queued === null) return [];
    const requests = this.#lost ? this.#queued.slice(0, 1) : this.#queued;
    const steps = requests.map(({ asked }) => ({ request: asked, replies: 1, must: true }));
    const spoilt = this.#spoiled !== 'no';
    if (spoilt) this.#spoiled = 'at the server';
    return spoilt ? [...steps, { request: spoiling, replies: 1, must: false }] : steps;
  }
}
