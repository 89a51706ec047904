import type { MemberAddress } from '../config.ts';
import { identityKey } from './identity.ts';
import { PlainSession } from './plain-session.ts';
import type { Restorable, Tenant } from './tenant.ts';
import type { Upstream } from './upstream.ts';

/** Idle connections are kept for the next client that needs one; more than this many of a kind are closed. */
const idleOfAKind = 16;

/** A connection that many clients share, and who waits for it to open. */
export interface Shared {
  readonly upstream: Upstream;
  readonly waiting: Set<Tenant>;
  readonly session: Restorable;
}

/** Connections are alike when they lead to the same member as the same user with the same password, in one database and protocol. */
export function kindOf(target: MemberAddress, session: Restorable): string {
  return `${target.address}:${target.port} ${identityKey(session.presented)}`;
}

/** A connection, and what it was when its last client left it. */
interface Idle {
  readonly upstream: Upstream;
  readonly session: Restorable;
}

/** Private connections that nobody uses now, clean, by kind. */
export class IdleUpstreams {
  readonly #byKind = new Map<string, Idle[]>();

  get all(): Idle[] {
    return [...this.#byKind.values()].flat();
  }

  put(upstream: Upstream, { presented }: Restorable): void {
    const session = new PlainSession(presented);
    const kind = kindOf(upstream.target, session);
    const list = this.#byKind.get(kind) ?? [];
    if (list.length >= idleOfAKind) upstream.destroy('enough idle connections');
    else list.push({ upstream, session });
    this.#byKind.set(kind, list);
  }

  take(kind: string): Upstream | undefined {
    const list = this.#byKind.get(kind);
    for (let idle = list?.pop(); idle !== undefined; idle = list?.pop()) {
      if (!idle.upstream.closed) return idle.upstream;
    }
    return undefined;
  }

  /** Closes all of them: they lead to a former primary. */
  clear(): void {
    for (const list of this.#byKind.values())
      for (const { upstream } of list) upstream.destroy('no longer needed');
    this.#byKind.clear();
  }
}
