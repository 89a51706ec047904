import type { Buffer } from 'node:buffer';
import { writeRequest } from '../../resp/write.ts';
import { type Identity, introductionOf, newcomer, type Step } from '../upstream/identity.ts';

/** Stands for a request that is not kept. */
const nothing = globalThis.Buffer.alloc(0);

/** Names as latin1, which keeps every byte. */
export interface Subscriptions {
  channels: Set<string>;
  patterns: Set<string>;
  shardChannels: Set<string>;
}

/**
 * What a client has told its server about itself, so that a connection to another member can be put into the same
 * state. Only what the server accepted is here.
 */
export class Session implements Subscriptions {
  identity: Identity = newcomer;
  admitted = false;
  mustLogIn = false;
  name = '';
  /** A command was sent that may have changed its connection in ways that are not known here. */
  foreign = false;
  /** Requests that set a mode of the connection (CLIENT TRACKING, CLIENT NO-EVICT…), by what they set. */
  modes = new Map<string, Buffer>();
  channels = new Set<string>();
  patterns = new Set<string>();
  shardChannels = new Set<string>();
  monitor: Buffer | null = null;
  /** The transaction that was begun and not ended: MULTI and what was queued, as sent; null outside of one. */
  transaction: Buffer[] | null = null;
  /** The transaction is too long to be kept, so it can't be put up again. */
  forgetful = false;
  /** It should have been put up again, and can't be. */
  transactionLost = false;
  #transactionBytes = 0;
  watching = false;
  /** Watched keys can't be watched across a change of primary: EXEC answers as if they had changed. */
  watchBroken = false;

  /** The server was asked whether strangers have to log in. */
  admit(mustLogIn: boolean): void {
    this.admitted = true;
    this.mustLogIn = mustLogIn;
  }

  /** It has to log in before it may do anything. */
  get unauthenticated(): boolean {
    return this.mustLogIn && this.identity.login === null;
  }

  copySubscriptions(): Subscriptions {
    const { channels, patterns, shardChannels } = this;
    return {
      channels: new Set(channels),
      patterns: new Set(patterns),
      shardChannels: new Set(shardChannels),
    };
  }

  get subscribed(): boolean {
    return this.channels.size + this.patterns.size + this.shardChannels.size > 0;
  }

  /** It must be put back after a change of primary, also when the client says nothing. */
  get standing(): boolean {
    return this.subscribed || this.monitor !== null || this.modes.has('tracking');
  }

  /** It is more than a shared connection can hold. */
  get needsOwnConnection(): boolean {
    return this.standing || this.transaction !== null || this.watching || this.modes.size > 0 || this.foreign;
  }

  /** Notes a request that was queued. Beyond `limitBytes` only what changes a connection is kept. */
  queue(request: Buffer | null, keep: boolean, limitBytes: number): void {
    const { transaction } = this;
    if (transaction === null) return;
    this.#transactionBytes += request?.length ?? 0;
    this.forgetful ||= request === null || this.#transactionBytes > limitBytes;
    transaction.push(request !== null && (keep || !this.forgetful) ? request : nothing);
  }

  endTransaction(): void {
    this.transaction = null;
    this.forgetful = false;
    this.transactionLost = false;
    this.#transactionBytes = 0;
    this.watching = false;
    this.watchBroken = false;
  }

  /** A new connection is about to be put into this state: what can't be put up again makes EXEC fail. */
  onMove(): void {
    if (this.watching) this.watchBroken = true;
    if (this.forgetful) this.transactionLost = true;
  }

  /** Back to what a new connection is, as RESET does. */
  reset(): void {
    const { admitted, mustLogIn } = this;
    Object.assign(this, new Session(), { admitted, mustLogIn });
    this.#transactionBytes = 0;
  }

  get protocol(): 2 | 3 {
    return this.identity.protocol;
  }

  /** What a client is told of its user: bytes as latin1. */
  get user(): string {
    return this.identity.login?.user ?? 'default';
  }

  /**
   * The requests that put a new connection into this state; each answers once, subscriptions once a name.
   * @param name what the connection is called in the server's own CLIENT LIST
   */
  restoring(name: string): Step[] {
    const list = introductionOf(this.identity, name);
    const say = (args: (string | Buffer)[], must = true, replies = 1) =>
      list.push({ request: writeRequest(args), replies, must });
    for (const request of this.modes.values()) list.push({ request, replies: 1, must: false });
    const kinds = [
      ['SUBSCRIBE', this.channels],
      ['PSUBSCRIBE', this.patterns],
      ['SSUBSCRIBE', this.shardChannels],
    ] as const;
    for (const [verb, names] of kinds) {
      // A client that may no longer hear what it subscribed to is closed, as a server does.
      if (names.size > 0) say([verb, ...[...names].map((each) => latin1(each))], true, names.size);
    }
    const begun = this.transactionLost ? this.transaction?.slice(0, 1) : this.transaction;
    for (const request of begun ?? []) list.push({ request, replies: 1, must: true });
    if (this.monitor !== null) list.push({ request: this.monitor, replies: 1, must: false });
    return list;
  }
}

function latin1(text: string): Buffer {
  return globalThis.Buffer.from(text, 'latin1');
}
