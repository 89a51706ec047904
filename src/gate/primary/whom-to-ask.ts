/** Whose ROLE the gate wants to know, and when the primary's own word is enough: primary-step.ts has the rules. */
import type { MemberAddress } from '../config.ts';
import { namedBySentinels } from './named.ts';
import { isOverdue, type PrimaryRules, type PrimaryState } from './primary-state.ts';

/** Nobody is to replace the primary, as far as anybody can tell: if it says that it is primary, it is. */
export function mayGoOn(state: PrimaryState, rules: PrimaryRules, nowMs: number): boolean {
  if (state.candidate === null) return true;
  return isOverdue(state.candidate, nowMs) && isNamedOrNobody(state, rules, nowMs);
}

/** The candidate, and the primary when it is in doubt or may be back. */
export function whomToAsk(state: PrimaryState, rules: PrimaryRules, nowMs: number): MemberAddress[] {
  const { candidate, primary, doubt, mode } = state;
  const members = candidate === null ? [] : [candidate.member];
  if (primary === null || candidate?.member === primary) return members;
  const mayBeBack =
    mode.kind !== 'open' && mayGoOn(state, rules, nowMs) && isNamedOrNobody(state, rules, nowMs);
  return doubt !== null || mayBeBack ? [...members, primary] : members;
}

function isNamedOrNobody(state: PrimaryState, rules: PrimaryRules, nowMs: number): boolean {
  const named = namedBySentinels(state, rules, nowMs);
  return named === null || named.member === state.primary;
}
