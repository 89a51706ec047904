/**
 * A lost primary that could be replaced and is not, on purpose: with durability `replicated` whoever takes over surely has all that was
 * acknowledged (eligibility.ts), and after a while somebody who may not. Until then everybody waits, and is told for what.
 */
import { type EligibilityRules, heirs, isEligible, unsureMs, willing } from '../eligibility.ts';
import { hasVoters } from '../own-word.ts';
import { actingPrimary, namedPrimary, type View } from '../view.ts';

/** A moment without anybody says nothing: members are looked at once a second. */
const saidAfterMs = 1000;

/** As a sentence; undefined when nobody waits for that. */
export function whoIsNotSureYet(
  view: View,
  rules: EligibilityRules,
  nowMs: number,
): { lost: string; text: string } | undefined {
  const lost = namedPrimary(view)?.id;
  const { noPrimarySinceMs } = view;
  if (lost === undefined || !hasVoters(view) || actingPrimary(view) !== null) return undefined;
  if (noPrimarySinceMs === null || nowMs - noPrimarySinceMs < saidAfterMs) return undefined;
  const able = willing(view, view.members.filter(isEligible)).map(({ id }) => id);
  if (able.length === 0 || heirs(view, rules, nowMs).length > 0) return undefined;
  const [they, heir] = able.length === 1 ? ['it has', 'it'] : ['they have', 'one of them'];
  const known = `of ${able.join(', ')} nobody knows whether ${they} all that was acknowledged`;
  const text = `${lost} does not act as primary, and ${known}: whoever surely has it is waited for until ${unsureMs / 1000} s after the loss, then ${heir} takes over`;
  return { lost, text };
}
