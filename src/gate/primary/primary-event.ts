/** What happens to a gate's knowledge of who is primary, and what is to be done then: primary-step.ts has the rules. */
import type { MemberAddress } from '../config.ts';
import type { Role } from '../upstream/probe.ts';
import type { Claim, PrimaryState } from './primary-state.ts';

export type PrimaryEvent =
  | { kind: 'tick' }
  | { kind: 'sole'; member: MemberAddress; by: string }
  | { kind: 'claim'; sentinel: number; claim: Claim | null }
  /** `old`: whom that Sentinel had as primary; null when that is no member. */
  | { kind: 'selected' | 'switched'; member: MemberAddress; old: MemberAddress | null; event: string }
  | { kind: 'aborted'; event: string }
  | { kind: 'role'; member: MemberAddress; role: Role }
  | { kind: 'lost'; member: MemberAddress; reason: string }
  /** It answered a write with READONLY. */
  | { kind: 'readonly'; member: MemberAddress }
  /** It refused for a reason that is expected to pass: `isPassing`. */
  | { kind: 'not-ready' }
  | { kind: 'agent-hold'; reason: string; maxMs: number; patient: boolean }
  | { kind: 'agent-release' }
  | { kind: 'agent-switch'; member: MemberAddress; epoch: number | null; withinMs: number };

export type Effect =
  | { kind: 'ask'; member: MemberAddress }
  /** Ask every Sentinel whom it names. */
  | { kind: 'poll' }
  | { kind: 'log'; text: string }
  /** The primary, or what is held, changed. */
  | { kind: 'changed' }
  /** One of those that wait goes on, to see whether the others may. */
  | { kind: 'try-one' }
  | { kind: 'go-on' };

export interface Step {
  state: PrimaryState;
  effects: Effect[];
}
