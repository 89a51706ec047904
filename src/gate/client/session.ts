import type { Buffer } from 'node:buffer';
import { writeRequest } from '../../resp/write.ts';
import {
  type Identity,
  introductionOf,
  type Login,
  newcomer,
  type Step,
  userOf,
} from '../upstream/identity.ts';
import type { Restorable, SubscriptionCounts } from '../upstream/tenant.ts';
import { besideAName } from './kept-bytes.ts';
import { Tracking } from './tracking.ts';
import { Transaction } from './transaction.ts';

/** Names as latin1, which keeps every byte. */
export interface Subscriptions {
  channels: Set<string>;
  patterns: Set<string>;
  shardChannels: Set<string>;
}

/** Names, and how much memory they take. */
class Names extends Set<string> {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  override add(name: string): this {
    if (!this.has(name)) this.#bytes += name.length + besideAName;
    return super.add(name);
  }

  override clear(): void {
    this.#bytes = 0;
    super.clear();
  }

  override delete(name: string): boolean {
    if (this.has(name)) this.#bytes -= name.length + besideAName;
    return super.delete(name);
  }
}

/** A login is kept as what the client is, and as what its connection is found by. */
const copiesOfALogin = 2;

function bytesOf(login: Login | null): number {
  return login === null ? 0 : (login.user.length + login.password.length) * copiesOfALogin;
}

/**
 * What a client has told its server about itself, so that a connection to another member can be put into the same
 * state. Only what the server accepted is here.
 */
export class Session implements Subscriptions, Restorable {
  #identity: Identity = newcomer;
  #standIn: Login | null = null;
  #admitted = false;
  #mustLogIn = false;
  #name = '';
  #foreign = false;
  #monitor: Buffer | null = null;
  readonly tracking = new Tracking();
  readonly #modes = new Map<string, Buffer>();
  readonly channels = new Names();
  readonly patterns = new Names();
  readonly shardChannels = new Names();
  readonly transaction = new Transaction();

  get identity(): Identity {
    return this.#identity;
  }

  /** As whom its requests go where it is, when that is a route with a user of its own; null: as itself. */
  get standIn(): Login | null {
    return this.#standIn;
  }

  /** The server was asked whether strangers have to log in. */
  get admitted(): boolean {
    return this.#admitted;
  }

  get name(): string {
    return this.#name;
  }

  /** MONITOR, as the client sent it; null when it does not watch. */
  get monitor(): Buffer | null {
    return this.#monitor;
  }

  get presented(): Identity {
    const { identity, standIn } = this;
    return standIn === null ? identity : { ...identity, login: standIn, selectedAs: standIn };
  }

  /** It logged in; what it chose before, it chose as whom it was then. */
  logIn(login: Login): void {
    this.#identity = { ...this.#identity, login };
  }

  choose(database: number): void {
    this.#identity = { ...this.#identity, database, selectedAs: this.#identity.login };
  }

  speak(protocol: 2 | 3): void {
    this.#identity = { ...this.#identity, protocol };
  }

  /** Its requests go where it is as this user; null: as itself. */
  actAs(standIn: Login | null): void {
    this.#standIn = standIn;
  }

  rename(name: string): void {
    this.#name = name;
  }

  /** @param request as the client sent it */
  watchAll(request: Buffer): void {
    this.#monitor = request;
  }

  /** Requests that set a mode of the connection (CLIENT NO-EVICT, CLIENT NO-TOUCH), by what they set. */
  get modes(): ReadonlyMap<string, Buffer> {
    return this.#modes;
  }

  /** @param request what sets it; null: it is off */
  setMode(mode: string, request: Buffer | null): void {
    if (request === null) this.#modes.delete(mode);
    else this.#modes.set(mode, request);
  }

  /** A command was sent that may have changed its connection in ways that are not known here. */
  becomeForeign(): void {
    this.#foreign = true;
  }

  /** The server was asked whether strangers have to log in. */
  admit(mustLogIn: boolean): void {
    this.#admitted = true;
    this.#mustLogIn = mustLogIn;
  }

  /** It has to log in before it may do anything. */
  get unauthenticated(): boolean {
    return this.#mustLogIn && this.#identity.login === null;
  }

  copySubscriptions(): Subscriptions {
    const { channels, patterns, shardChannels } = this;
    return {
      channels: new Set(channels),
      patterns: new Set(patterns),
      shardChannels: new Set(shardChannels),
    };
  }

  get subscriptions(): SubscriptionCounts {
    const { channels, patterns, shardChannels } = this;
    return { channels: channels.size, patterns: patterns.size, shardChannels: shardChannels.size };
  }

  /** Memory that is kept to put it onto another connection. */
  get keptBytes(): number {
    const { channels, patterns, shardChannels, tracking, transaction } = this;
    const { login, selectedAs } = this.#identity;
    const logins = bytesOf(login) + (selectedAs === login ? 0 : bytesOf(selectedAs));
    const names = channels.bytes + patterns.bytes + shardChannels.bytes;
    return this.#name.length + logins + transaction.keptBytes + tracking.bytes + names;
  }

  get subscribed(): boolean {
    return this.channels.size + this.patterns.size + this.shardChannels.size > 0;
  }

  /** It must be put back after a change of primary, also when the client says nothing. */
  get standing(): boolean {
    return this.subscribed || this.monitor !== null || this.tracking.on || this.tracking.sources.size > 0;
  }

  /** It is more than a shared connection can hold. */
  get needsOwnConnection(): boolean {
    return this.standing || this.transaction.holdsConnection || this.#modes.size > 0 || this.#foreign;
  }

  /** Nothing of it is at the server where it is, so that it may go to another; a transaction that was only begun goes along. */
  get movable(): boolean {
    const { standing, transaction } = this;
    return (
      !standing &&
      this.#modes.size === 0 &&
      !this.#foreign &&
      (!transaction.holdsConnection || transaction.fresh)
    );
  }

  /** Back to what a new connection is, as RESET does. */
  reset(): void {
    this.#identity = newcomer;
    this.#standIn = null;
    this.#name = '';
    this.#foreign = false;
    this.#monitor = null;
    this.tracking.reset();
    for (const each of [this.#modes, this.channels, this.patterns, this.shardChannels]) each.clear();
    this.transaction.reset();
  }

  get protocol(): 2 | 3 {
    return this.identity.protocol;
  }

  /** What a client is told of its user: bytes as latin1. */
  get user(): string {
    return userOf(this.identity);
  }

  onMove(): void {
    this.transaction.onMove();
  }

  /**
   * The requests that put a new connection into this state; each answers once, subscriptions once a name.
   * @param name what the connection is called in the server's own CLIENT LIST
   */
  restoring(name: string): Step[] {
    const list = introductionOf(this.presented, name);
    const say = (args: (string | Buffer)[], must = true, replies = 1) =>
      list.push({ request: writeRequest(args), replies, must });
    for (const request of this.#modes.values()) list.push({ request, replies: 1, must: false });
    // With REDIRECT it has to wait for the other connection: see tracking.ts.
    if (this.tracking.redirect === null) {
      for (const request of this.tracking.requests(null)) list.push({ request, replies: 1, must: false });
    }
    const kinds = [
      ['SUBSCRIBE', this.channels],
      ['PSUBSCRIBE', this.patterns],
      ['SSUBSCRIBE', this.shardChannels],
    ] as const;
    for (const [verb, names] of kinds) {
      // A client that may no longer hear what it subscribed to is closed, as a server does.
      if (names.size > 0) say([verb, ...[...names].map((each) => latin1(each))], true, names.size);
    }
    list.push(...this.transaction.restoring());
    if (this.monitor !== null) list.push({ request: this.monitor, replies: 1, must: false });
    return list;
  }
}

function latin1(text: string): Buffer {
  return globalThis.Buffer.from(text, 'latin1');
}
