import { type Identity, introductionOf, type Step } from './identity.ts';
import type { Restorable } from './tenant.ts';

/** What clients that share a connection have in common: who they are, and nothing else. */
export class PlainSession implements Restorable {
  readonly presented: Identity;
  readonly standing = false;
  readonly needsOwnConnection = false;
  readonly subscriptions = { channels: 0, patterns: 0, shardChannels: 0 };

  constructor(presented: Identity) {
    this.presented = presented;
  }

  onMove(): void {}

  restoring(name: string): Step[] {
    return introductionOf(this.presented, name);
  }
}
