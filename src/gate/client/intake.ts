import type { Buffer } from 'node:buffer';
import type { Client } from './client.ts';
import { LongIntake } from './long-intake.ts';

/** Of whom nobody knows yet whether it has to log in, no more is kept: while there is no primary anybody may come. */
const newcomerBytes = 64 * 1024;

/**
 * What a client's socket brings. It is read no further while too much of it, or of what answers it, is kept here; who
 * makes room calls `resume`.
 */
export class Intake {
  readonly #client: Client;
  readonly #long: LongIntake;
  /** Nothing before the next request is under way. */
  readonly #isFree: () => boolean;
  #paused = false;

  constructor(client: Client, isFree: () => boolean) {
    this.#client = client;
    this.#long = new LongIntake(client);
    this.#isFree = isFree;
  }

  /** A long request is on its way that nobody keeps: everything before it is answered. */
  get passesLong(): boolean {
    return this.#long.passes;
  }

  /** Bytes of a long request that are kept until it is whole. */
  get heldBytes(): number {
    return this.#long.heldBytes;
  }

  /** The first `bytes` of `chunk` came; they are there until this returns. */
  receive(chunk: Buffer, bytes: number): void {
    const client = this.#client;
    client.router.counters.received(bytes);
    if (client.closing) return;
    const { requests, router } = client;
    let start = 0;
    if (this.#long.active) {
      start = this.#long.pass(chunk.subarray(0, bytes));
      if (this.#long.waits) this.#pause();
      // One that was kept is whole now, and goes before what is behind it.
      client.pump();
    }
    if (start < bytes && !client.closing && !client.closed) {
      requests.add(chunk, start, bytes);
      client.pump();
      requests.keep();
    }
    if (client.place.current?.crowd.isFullFor(client)) this.#pause();
    if (requests.size > 0 && this.#mustRead()) this.#pause();
    if (requests.size >= newcomerBytes && !client.session.admitted) this.#pause();
    const { requestBytes } = router.config.limits;
    if (requests.size <= requestBytes) return;
    if (requests.incomplete) this.#startLong();
    else if (requests.size > requestBytes) this.#pause();
  }

  /** Reads on, if there is room. */
  resume(): void {
    const client = this.#client;
    const full = client.place.current?.crowd.full || this.#long.waits;
    if (!this.#paused || full || this.#mustRead()) return;
    this.#paused = false;
    client.socket.resume();
    client.pump();
  }

  /** Writes are held, or are not any more. */
  onHolding(): void {
    if (this.#long.waits) this.#pause();
    else this.resume();
  }

  /** What could be taken of the client's requests was taken. */
  pumped(): void {
    const { requests } = this.#client;
    if (requests.size === 0) {
      requests.release();
      if (this.#paused) this.resume();
    } else if (this.#paused && requests.incomplete && !this.#long.active) this.#startLong();
  }

  /** The client is gone. */
  abandon(): void {
    this.#long.abandon();
  }

  /** Its request is longer than what may be kept: how it goes on depends on what it is. */
  #startLong(): void {
    if (this.#long.begin(this.#isFree)) this.resume();
    else this.#pause();
  }

  /** The client has to read first. */
  #mustRead(): boolean {
    const { apart, flow, unread } = this.#client;
    return !apart.goesOn && flow.isSlow(unread);
  }

  #pause(): void {
    this.#paused = true;
    this.#client.socket.pause();
  }
}
