/** Who was selected, or announced, and whom that one replaces: the rules are in primary-step.ts. */
import type { MemberAddress } from '../config.ts';
import { type Candidate, isOverdue, type PrimaryState } from './primary-state.ts';

/** The one that is to be primary instead of another. */
interface Chosen {
  member: MemberAddress;
  /** Whom that Sentinel had as primary; null when that is no member. */
  old: MemberAddress | null;
}

/**
 * What the choice of a Sentinel is here. `elsewhere`: it had another primary than this gate, so it is behind, or ahead by more
 * than this gate can tell; what it claims says which.
 */
export function bearingOf(
  { primary, mode, candidate }: PrimaryState,
  { member, old }: Chosen,
  nowMs: number,
): 'news' | 'known' | 'elsewhere' {
  if (candidate?.member === member && !isOverdue(candidate, nowMs)) return 'known';
  if (replaced(candidate, old) !== null) return 'news';
  if (member === primary && mode.kind === 'open') return 'known';
  return primary === null || old === primary ? 'news' : 'elsewhere';
}

/** Somebody who may become primary, and why. */
export type Found = Pick<Candidate, 'member' | 'grounds' | 'by' | 'epoch'>;

/** A Sentinel promotes whom it selected a tick later. */
const promotesWithinMs = 1000;

/** @param before whom it replaces, who was about to be primary */
export function newCandidate(
  found: Found,
  { heard }: Pick<PrimaryState, 'heard'>,
  before: Candidate | null,
  nowMs: number,
  limitMs: number,
): Candidate {
  const untilMs = nowMs + limitMs;
  const actsByMs = nowMs + promotesWithinMs;
  return { ...found, heard, acts: false, isGone: false, actsByMs, untilMs, before, beside: null };
}

/** The candidate that a choice replaces, to be kept with whoever was chosen; null when it replaces another one. */
export function replaced(candidate: Candidate | null, old: MemberAddress | null): Candidate | null {
  return old !== null && candidate?.member === old ? { ...candidate, before: null } : null;
}

/** Whoever was about to be primary is so again when nothing came of the selection from it. */
export function afterSelection(
  candidate: Candidate | null,
  nowMs: number,
  limitMs: number,
): Candidate | null {
  if (candidate === null || candidate.before === null || !isOverdue(candidate, nowMs)) return candidate;
  const { before } = candidate;
  return { ...before, untilMs: nowMs + limitMs, beside: { ...candidate, before: null } };
}

/** Whether writes wait for a candidate though the agent's hold is over. Its release takes back its own word, and no other. */
export function outlastsHold(state: PrimaryState, end: 'released' | 'limit', nowMs: number): boolean {
  const { candidate } = state;
  if (candidate === null || isOverdue(candidate, nowMs)) return false;
  return candidate.grounds === 'selection' || (candidate.grounds === 'agent' && end === 'limit');
}
