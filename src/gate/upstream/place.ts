import type { MemberAddress } from '../config.ts';
import type { Upstream } from './upstream.ts';

/** Where one client is among the connections to members. Only `Connections` moves it. */
export class Place {
  #route: Upstream | null = null;
  #current: Upstream | null = null;
  #own: Upstream | null = null;
  #prefers: MemberAddress | null = null;
  #lastAlone: MemberAddress | null = null;

  /** The connection that takes its plain requests now; null: ask. */
  get route(): Upstream | null {
    return this.#route;
  }

  /** The connection that its runs in flight are on, or that the last ones were. */
  get current(): Upstream | null {
    return this.#current;
  }

  /** Its private connection, while it needs one. */
  get own(): Upstream | null {
    return this.#own;
  }

  /** Where its next request should go, if that is possible. */
  get prefers(): MemberAddress | null {
    return this.#prefers;
  }

  /** Finds a way for it, to this member if that is possible. */
  preferring<T>(member: MemberAddress | null, find: () => T): T {
    this.#prefers = member;
    const found = find();
    this.#prefers = null;
    return found;
  }

  /** Its plain requests go there from now on. */
  routeTo(upstream: Upstream): void {
    this.#route = upstream;
  }

  /** The way may be another one now. */
  reroute(): void {
    this.#route = null;
  }

  moveTo(upstream: Upstream): void {
    this.#current = upstream;
  }

  /** Where the private connection is to be that it needs next: where its last one was, if nobody prefers another place. */
  preferringLast<T>(find: () => T): T {
    return this.preferring(this.#prefers ?? this.#lastAlone, find);
  }

  takeOwn(upstream: Upstream): void {
    this.#own = upstream;
    this.#lastAlone = upstream.target;
    this.#route = null;
  }

  /** Its private connection is no longer its. Returns it. */
  leaveOwn(): Upstream | null {
    const own = this.#own;
    this.#own = null;
    this.#route = null;
    return own;
  }

  /** This connection is gone, or another client's. */
  forget(upstream: Upstream): void {
    if (this.#route === upstream) this.#route = null;
    if (this.#current === upstream) this.#current = null;
    if (this.#own === upstream) this.#own = null;
  }
}
