import type { Buffer } from 'node:buffer';
import type { Client } from './client.ts';
import { LongRequest, wayOfLong } from './long-request.ts';

/** The way in of a client's long requests, one at a time. */
export class LongIntake {
  readonly #client: Client;
  #long: LongRequest | null = null;

  constructor(client: Client) {
    this.#client = client;
  }

  /** A request is on its way. */
  get active(): boolean {
    return this.#long !== null;
  }

  /** A request is on its way that is not kept: it is sent on as it comes, or refused. */
  get passes(): boolean {
    return this.#long?.keeps === false;
  }

  /**
   * The server is slower than the client; or writes are held. A hold does not wait for half a request, which can't be executed: so
   * its rest may not come to the server in the meantime.
   */
  get waits(): boolean {
    if (this.#long === null) return false;
    return this.#long.stalled || (this.#long.reaches && this.#client.router.holding !== 'none');
  }

  /** Bytes of it that are kept here. */
  get heldBytes(): number {
    return this.#long?.heldBytes ?? 0;
  }

  /**
   * What is there of the client's next request is not whole. True when more of it may be read; else it is longer than
   * what may be kept, and waits until those before it are answered, until there is a connection, or until the server
   * has taken what it has.
   * @param isReady nothing before it is under way
   */
  begin(isReady: () => boolean): boolean {
    const client = this.#client;
    // A client also stands still because it does not read: then its request is short, perhaps not even named yet.
    if (client.requests.size <= client.router.config.limits.requestBytes) return true;
    // Nor is one of which not even the number of its elements is here: a line has a bound of its own.
    if (client.requests.frame.left < 0) return true;
    const way = wayOfLong(client);
    if (way === 'keep') {
      this.#long = LongRequest.keep(client);
      return this.#goesOn(this.#long);
    }
    if (way === 'wait' || !isReady()) return false;
    this.#long =
      way === 'pass' ? LongRequest.start(client, () => client.resume()) : LongRequest.refuse(client, way);
    return this.#long !== null && !this.waits;
  }

  /** Takes what belongs to the request on its way. Returns where what comes after it starts. */
  pass(chunk: Buffer): number {
    const client = this.#client;
    const long = this.#long as LongRequest;
    const taken = long.pass(chunk);
    if (!this.#goesOn(long)) return chunk.length;
    if (!long.whole) return taken;
    this.#long = null;
    if (long.refusal !== null) {
      if (client.session.transaction.open) client.session.transaction.spoil();
      client.deliver(long.refusal, 0, long.refusal.length);
    }
    const kept = long.take();
    if (kept !== null) client.requests.putBefore(kept);
    return taken;
  }

  abandon(): void {
    this.#long?.abandon();
  }

  /** False when it is no request, or too long: then its client was told. */
  #goesOn(long: LongRequest): boolean {
    if (long.failed === '') return true;
    this.#long = null;
    long.abandon();
    this.#client.fail(`ERR ${long.failed}`);
    this.#client.pump();
    return false;
  }
}
