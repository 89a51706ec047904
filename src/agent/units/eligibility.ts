import { usualPriority } from '../../topology/eligibility.ts';
import type { MemberWatch } from '../observe/member-watch.ts';
import type { HeldBack } from '../state/held-back.ts';

/** What is needed of a member. */
interface Held {
  watch: { client: Pick<MemberWatch['client'], 'setConfig'>; look(): Promise<void> };
  /** Null for a member of another host. */
  heldBack: HeldBack | null;
}

/** Lets a member of this host be promoted, or not: topology/eligibility.ts has the rules. */
export async function setEligible({ watch, heldBack }: Held, eligible: boolean): Promise<void> {
  if (!eligible) await heldBack?.claim();
  await watch.client.setConfig('replica-priority', eligible ? String(usualPriority) : '0');
  await watch.look();
  // Not before it was seen: a 0 that was seen a moment ago would be taken for an operator's, and stay.
  if (eligible) await heldBack?.release();
}
