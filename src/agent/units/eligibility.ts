import { usualPriority } from '../../topology/eligibility.ts';
import type { LiveMember } from '../deployment.ts';

/** Lets a member of this host be promoted, or not: topology/eligibility.ts has the rules. */
export async function setEligible({ watch, heldBack }: LiveMember, eligible: boolean): Promise<void> {
  if (!eligible) await heldBack?.claim();
  await watch.client.setConfig('replica-priority', eligible ? String(usualPriority) : '0');
  if (eligible) await heldBack?.release();
  await watch.look();
}
