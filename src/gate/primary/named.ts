import type { MemberAddress } from '../config.ts';
import type { Claim, Grounds, PrimaryRules, PrimaryState } from './primary-state.ts';

/** Whom the Sentinels name, of those who may replace the primary. Why each may: primary-step.ts. */

const goneMs = 10_000;
const demotedMs = 1000;
/** When a gate starts, and not all members say who leads. */
const allHeardWithinMs = 1000;

export interface Named {
  member: MemberAddress;
  epoch: number;
  grounds: Extract<Grounds, 'epoch' | 'unanimity'>;
  /** For the log: who names it. */
  by: string;
}

/** The member named under the highest epoch, when a majority answers and ours may be replaced by it; or ours. */
export function namedBySentinels(state: PrimaryState, rules: PrimaryRules, nowMs: number): Named | null {
  const { primary, epoch, contrary, mode } = state;
  const claims = state.claims.filter((claim) => claim !== null);
  if (claims.length < rules.majority) return null;
  // The first that answers may be one that led before.
  const areAllHeard = claims.length === state.claims.length;
  if (rules.byMembers && mode.kind === 'starting' && !areAllHeard && nowMs - mode.sinceMs < allHeardWithinMs)
    return null;
  const newest = claims.reduce<Claim | null>((a, b) => (a === null || b.epoch > a.epoch ? b : a), null);
  if (newest === null || newest.member === null) return null;
  const { member } = newest;
  if (member === primary || isNewer(newest.epoch, epoch, rules)) {
    const by = rules.byMembers ? 'the last word of the members' : 'a majority of Sentinels';
    return { member, epoch: newest.epoch, grounds: 'epoch', by };
  }
  const limitMs = mode.kind === 'writes' ? demotedMs : goneMs;
  if (contrary?.member !== member || nowMs - contrary.sinceMs < limitMs) return null;
  return { member, epoch: newest.epoch, grounds: 'unanimity', by: 'every Sentinel that answers' };
}

/**
 * Whether a word of this epoch replaces a primary that was accepted under another. Of two members that were made the lead in one
 * epoch, on two sides of a split, that one counts which the first of all members names.
 */
export function isNewer(epoch: number, accepted: number, { byMembers }: PrimaryRules): boolean {
  return byMembers ? epoch >= accepted : epoch > accepted;
}

/** Whom all that answer name, a majority at least, when it is not ours and ours is gone or demoted. */
export function unanimouslyNamed(
  { claims, primary, mode }: PrimaryState,
  rules: PrimaryRules,
): MemberAddress | null {
  // Sentinels may lose their epoch with their files; what a member was told it keeps with its data.
  if (rules.byMembers) return null;
  const bereft = mode.kind === 'all' || (mode.kind === 'writes' && mode.by === 'demotion');
  const known = claims.filter((claim) => claim !== null);
  const member = known[0]?.member ?? null;
  if (!bereft || known.length < rules.majority || member === primary) return null;
  return known.every((claim) => claim.member === member) ? member : null;
}
