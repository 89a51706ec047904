import type { Buffer } from 'node:buffer';
import type { Client } from './client.ts';
import { keptBytes, LongRequest, wayOfLong } from './long-request.ts';

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

  /** The server is slower than the client. */
  get stalled(): boolean {
    return this.#long?.stalled === true;
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
    const way = wayOfLong(client);
    if (way === 'keep') {
      // What says that it will be too long is told so before it has come.
      if (Math.max(client.requests.size, client.requests.announced) <= keptBytes) return true;
      client.fail('ERR Protocol error: the request is too long to be kept');
      client.pump();
      return false;
    }
    if (way === 'wait' || !isReady()) return false;
    this.#long =
      way === 'pass' ? LongRequest.start(client, () => client.resume()) : LongRequest.refuse(client, way);
    return this.#long?.stalled === false;
  }

  /** Takes what belongs to the request on its way. Returns where what comes after it starts. */
  pass(chunk: Buffer): number {
    const client = this.#client;
    const long = this.#long as LongRequest;
    const taken = long.pass(chunk);
    if (long.whole || long.failed) this.#long = null;
    if (long.whole && long.refusal !== null) {
      if (client.session.transaction.open) client.session.transaction.spoil();
      client.deliver(long.refusal, 0, long.refusal.length);
    }
    if (!long.failed) return taken;
    client.fail(`ERR ${long.failed}`);
    client.pump();
    return chunk.length;
  }

  abandon(): void {
    this.#long?.abandon();
  }
}
