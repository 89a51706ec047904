import type { Identity, Step } from './identity.ts';
import type { Place } from './place.ts';
import type { ReplySink, Unasked } from './run.ts';

/** Names of each kind that it hears: `sub`, `psub` and `ssub` in CLIENT LIST. */
export interface SubscriptionCounts {
  channels: number;
  patterns: number;
  shardChannels: number;
}

/** What a client has told its server about itself, so that another connection can be put into the same state. */
export interface Restorable {
  /** Who its connections say that they are. */
  readonly presented: Identity;
  readonly subscriptions: SubscriptionCounts;
  /** It must be put back after a change of primary, also when the client says nothing. */
  readonly standing: boolean;
  /** It is more than a shared connection can hold. */
  readonly needsOwnConnection: boolean;
  /** A new connection is about to be put into this state: what can't be restored shows later. */
  onMove(): void;
  /** @param name what the connection is called in the server's own CLIENT LIST */
  restoring(name: string): Step[];
}

/** A client, as its connections see it. */
export interface Tenant extends ReplySink, Unasked {
  readonly place: Place;
  readonly session: Restorable;
  readonly inFlight: number;
  readonly closing: boolean;
  readonly hasWork: boolean;
  /** Whether nothing is in flight; if not, it goes on when that is so. */
  idle(): boolean;
  onIdle(): void;
  pump(): void;
  /** It has a connection of its own, with its session on it. */
  onOwnReady(): void;
}
