import { type Identity, introductionOf, type Step, userOf } from './identity.ts';
import type { Restorable } from './tenant.ts';

/** What clients that share a connection have in common: who they are, and nothing else. */
export class PlainSession implements Restorable {
  readonly identity: Identity;
  readonly standing = false;
  readonly needsOwnConnection = false;
  readonly subscriptions = { channels: 0, patterns: 0, shardChannels: 0 };

  constructor(identity: Identity) {
    this.identity = identity;
  }

  get user(): string {
    return userOf(this.identity);
  }

  onMove(): void {}

  restoring(name: string): Step[] {
    return introductionOf(this.identity, name);
  }
}
