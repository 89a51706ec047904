/** What can be decided, and by which part of a spec: decide.ts decides. */
import type { Astray } from './astray-sentinel.ts';
import type { DeadLink } from './dead-link.ts';
import type { CandidacyRules, Cause } from './election/candidacy.ts';
import type { Appointment } from './election/not-taken-up.ts';
import type { EligibilityDecision, EligibilityRules } from './eligibility.ts';
import type { Hang } from './hang.ts';
import type { InSyncDecision } from './in-sync-set.ts';
import type { LeadDecision } from './lead-on.ts';
import type { RestartRule } from './restart-budget.ts';
import type { Refusal } from './view.ts';

/** How a restarted member begins. */
export type StartAs =
  | { kind: 'replica'; of: string; afresh?: true }
  | { kind: 'primary' }
  /** A standalone member, which says itself whom it follows, or that it led: who leads is worked out from that. */
  | { kind: 'as-it-was' }
  | { kind: 'as-configured' };

/** Why nothing is done. */
export type RestCode =
  | ('all-well' | 'paused' | 'planned-change' | 'restart-pause' | 'refused')
  | ('disk-unknown' | 'no-named-primary' | 'no-primary' | 'failover' | 'second-primary' | 'being-chosen');

/** What is done next. Whatever tells one decision from another is a field of it; `reason` and `hint` are for people. */
export type Decision =
  | { kind: 'nothing'; code: RestCode; reason: string; untilMs?: number }
  | { kind: 'give-way'; member: string; code: Cause | 'stopped'; reason: string }
  | ({ kind: 'kill' } & Hang)
  | { kind: 'stand'; member: string; code: Cause; reason: string }
  | { kind: 'follow'; member: string; code: 'second-primary' | 'astray'; primary: string; reason: string }
  | { kind: 'restart'; process: string; as: StartAs; reason: string }
  | ({ kind: 'monitor' } & Astray)
  | ({ kind: 'appoint' } & Appointment)
  | ({ kind: 'reconnect' } & DeadLink)
  | ({ kind: 'refuse'; member: string; hint: string } & Refusal)
  | { kind: 'give-up'; process: string; reason: string }
  | LeadDecision
  | InSyncDecision
  | EligibilityDecision;

/**
 * What a decision is apart from its words, and from what it begins with, which a try that failed may have changed: one with
 * the same key is the same decision, made again.
 */
export function decisionKey(decision: Decision): string {
  const apart = { reason: undefined, hint: undefined, untilMs: undefined, before: undefined };
  return JSON.stringify({ ...decision, ...apart });
}

/** The part of a spec that deciding needs. */
export interface DecideRules extends CandidacyRules, EligibilityRules {
  agent: { hangAfterMs: number; restarts: RestartRule };
}

/** Whether what is decided failed a moment ago, and is to be tried again later: until then it keeps nobody from the rest. */
export type IsPutOff = (decision: Decision) => boolean;
