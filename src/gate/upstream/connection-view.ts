import { userOf } from './identity.ts';
import type { Restorable, SubscriptionCounts } from './tenant.ts';
import type { Upstream } from './upstream.ts';

/**
 * What the gate takes one of its connections to a member for. The member's own CLIENT LIST says under `id` what it is: the
 * two must be equal, or a client would act as somebody else.
 */
export interface ConnectionView {
  member: string;
  /** Its id in the member's CLIENT LIST. */
  id: number;
  /** `idle`: kept for the next client that needs one. */
  use: 'shared' | 'idle' | 'own';
  /** As latin1. */
  user: string;
  database: number;
  protocol: 2 | 3;
  subscriptions: SubscriptionCounts;
}

/** Null while it opens, or waits for an answer that may change it. */
export function viewOf(
  upstream: Upstream,
  use: ConnectionView['use'],
  { presented, subscriptions }: Restorable,
): ConnectionView | null {
  const { target } = upstream;
  const { id } = upstream.atServer;
  if (!upstream.ready || upstream.closed || upstream.ring.size > 0 || id === null) return null;
  const { database, protocol } = presented;
  const user = userOf(presented);
  return { member: target.id, id, use, user, database, protocol, subscriptions };
}
