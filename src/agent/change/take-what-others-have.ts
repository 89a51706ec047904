import { namedPrimary, type View } from '../../topology/view.ts';
import type { Deployment } from '../deployment.ts';
import { setEligible } from '../units/eligibility.ts';

/**
 * Who asks for a failover from a primary that is not started, because the others would be set back, takes what those have: the
 * ones of this host that may not be promoted, for want of a link to it, may be from now on. It is a person's choice, because
 * nobody knows what each of them lacks.
 */
export async function takeWhatOthersHave(deployment: Deployment): Promise<void> {
  const about = new Set(heirsByChoice(deployment.view()));
  const heldBack = deployment.members.filter(
    (member) => about.has(member.place.id) && member.unit?.process.running && member.heldBack?.ours,
  );
  for (const member of heldBack) await setEligible(member, true);
}

/** The ids of those whom the primary would set back. */
export function heirsByChoice(view: View): readonly string[] {
  const named = namedPrimary(view)?.id;
  const refusal = view.members.find(({ id }) => id === named)?.process?.refusal;
  return refusal?.code === 'would-set-back' ? refusal.about : [];
}
