import type { MemberAddress } from '../config.ts';
import { identityKey } from './identity.ts';
import { PlainSession } from './plain-session.ts';
import type { Restorable, Tenant } from './tenant.ts';
import type { Upstream } from './upstream.ts';

/** Idle connections are kept for the next client that needs one; more than this many of a kind are closed. */
const idleOfAKind = 16;
/** And of all kinds: a password that anything is good for, or many users, make kinds without end. */
const idleOfAll = 128;
/** So many shared connections may be there that no client's next request would go to. */
const unusedShared = 64;

/** A connection that many clients share, and who waits for it to open. */
export interface Shared {
  readonly upstream: Upstream;
  readonly waiting: Set<Tenant>;
  readonly session: Restorable;
}

/**
 * Connections are alike when they lead to the same member as the same user with the same password, in one database
 * and protocol.
 */
export function kindOf(target: MemberAddress, session: Restorable): string {
  return `${target.address}:${target.port} ${identityKey(session.presented)}`;
}

/** Shared connections, by kind. Those that nobody uses any more are closed when there are many. */
export class SharedUpstreams {
  readonly #byKind = new Map<string, Shared>();
  #mostBeforeSweep = unusedShared;

  get size(): number {
    return this.#byKind.size;
  }

  get all(): Shared[] {
    return [...this.#byKind.values()];
  }

  get(kind: string): Shared | undefined {
    return this.#byKind.get(kind);
  }

  /** @param clients whose next requests may go to one of them */
  add(kind: string, shared: Shared, clients: Iterable<Tenant>): void {
    if (this.#byKind.size >= this.#mostBeforeSweep) this.#sweep(clients);
    this.#byKind.set(kind, shared);
  }

  remove(upstream: Upstream): void {
    for (const [kind, shared] of this.#byKind) if (shared.upstream === upstream) this.#byKind.delete(kind);
  }

  #sweep(clients: Iterable<Tenant>): void {
    const used = new Set<Upstream | null>();
    for (const { place } of clients) used.add(place.route);
    for (const { upstream, waiting } of this.all) {
      if (used.has(upstream) || !upstream.ready || upstream.ring.size > 0 || waiting.size > 0) continue;
      this.remove(upstream);
      upstream.destroy('nobody uses it');
    }
    // Whatever is in use stays: the next look is worth it once there are twice as many.
    this.#mostBeforeSweep = Math.max(unusedShared, this.#byKind.size * 2);
  }
}

/** A connection, and what it was when its last client left it. */
interface Idle {
  readonly upstream: Upstream;
  readonly session: Restorable;
}

/** Private connections that nobody uses now, clean, by kind; the kind that was used last is the last one. */
export class IdleUpstreams {
  readonly #byKind = new Map<string, Idle[]>();
  #count = 0;

  get all(): Idle[] {
    return [...this.#byKind.values()].flat();
  }

  put(upstream: Upstream, { presented }: Restorable): void {
    const session = new PlainSession(presented);
    const kind = kindOf(upstream.target, session);
    const list = this.#byKind.get(kind) ?? [];
    if (list.length >= idleOfAKind) {
      upstream.destroy('enough idle connections');
      return;
    }
    list.push({ upstream, session });
    this.#byKind.delete(kind);
    this.#byKind.set(kind, list);
    if (++this.#count > idleOfAll) this.#closeOldest();
  }

  take(kind: string): Upstream | undefined {
    const list = this.#byKind.get(kind);
    if (list === undefined) return undefined;
    let found: Upstream | undefined;
    while (found === undefined && list.length > 0) {
      const { upstream } = list.pop() as Idle;
      this.#count--;
      if (!upstream.closed) found = upstream;
    }
    if (list.length === 0) this.#byKind.delete(kind);
    return found;
  }

  #closeOldest(): void {
    for (const [kind, list] of this.#byKind) {
      list.shift()?.upstream.destroy('enough idle connections');
      this.#count--;
      if (list.length === 0) this.#byKind.delete(kind);
      return;
    }
  }

  /** Closes all of them: they lead to a former primary. */
  clear(): void {
    for (const { upstream } of this.all) upstream.destroy('no longer needed');
    this.#byKind.clear();
    this.#count = 0;
  }
}
