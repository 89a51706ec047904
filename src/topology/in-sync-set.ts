/**
 * Who is in sync with the standalone member that leads, and who is not any more: what the agent of that one's host decides
 * of it, and nobody else. in-sync-record.ts has how the set is changed, so that whoever may lead has all that was
 * acknowledged. Pure.
 *
 * - One leaves whose process is gone, who has answered nobody for `detectAfter`, has been behind for three seconds (also
 *   when a script or its loading keeps it busy: nobody knows how long that takes), does not follow, or is not to be
 *   promoted. Only then writes are acknowledged without it; until then they wait.
 * - One joins that follows, has its priority (eligibility.ts: it has all that the lead had when it was asked), and is level.
 * - A record that is missing, as behind FLUSHALL, is begun anew with the lead alone: without votes when nobody else has one
 *   either; one of another epoch than the Sentinels', or of which somebody has not left yet, is made anew as it is: whoever
 *   was at it did not come to its end.
 * - Without Sentinels nobody leaves by itself: writes wait until the member is back, or a person has the lead lead alone
 *   (`failover --to` it), in a new epoch.
 */
import { hasQuorum } from './election/candidacy.ts';
import { failoverToWaitFor } from './election/selection.ts';
import type { EligibilityRules } from './eligibility.ts';
import { firstRecord, type InSyncRecord } from './in-sync-record.ts';
import { hasVoters } from './own-word.ts';
import {
  actingPrimary,
  followsMember,
  type MemberView,
  namedPrimary,
  sentinelsEpoch,
  type View,
} from './view.ts';

export type InSyncDecision =
  | { kind: 'in-sync-joins'; member: string; reason: string }
  /** @member the one that leads, alone: nobody else has a record by which it might lead */
  | { kind: 'in-sync-begins'; member: string; epoch: number; reason: string }
  /** @member the one that leads. @before what it has, or is taken to have; `leaving` besides those that are at it */
  | {
      kind: 'in-sync-leaves';
      member: string;
      before: InSyncRecord;
      leaving: readonly string[];
      reason: string;
    };

export interface InSyncRules extends EligibilityRules {
  sentinel: { quorum: number; detectAfterMs: number };
}

/** As a replica's time to keep up, where it would hold up all writes. */
const behindMs = 3000;
/** Members are looked at every second, one after the other: this much says nothing. */
const levelMs = 1500;

/** Whether there is such a set at all: what was acknowledged with `ack: one` one member has. */
export function keepsInSync({ mirror }: Pick<EligibilityRules, 'mirror'>): boolean {
  return mirror != null && mirror.ack !== 'one';
}

export function isInSyncDecision(decision: { kind: string }): boolean {
  return /^in-sync-/.test(decision.kind);
}

/** Undefined when nothing is to be changed, or this agent's host is not the lead's. */
export function decideInSync(view: View, rules: InSyncRules, nowMs: number): InSyncDecision | undefined {
  if (!keepsInSync(rules) || view.selection !== null || failoverToWaitFor(view, nowMs) !== undefined)
    return undefined;
  const lead = actingPrimary(view);
  if (!lead?.process?.running || lead.busy || namedPrimary(view)?.id !== lead.id) return undefined;
  const others = view.members.filter(({ id }) => id !== lead.id);
  if (!hasVoters(view)) return lead.inSync === null ? begins(view, lead, others) : joins(lead, others);
  return hasQuorum(view, rules) ? (leaves(view, lead, others, rules) ?? joins(lead, others)) : undefined;
}

function begins(view: View, lead: MemberView, others: readonly MemberView[]): InSyncDecision | undefined {
  if (lead.inSync !== null) return undefined;
  const isWithout = (each: MemberView) => each.reachable && each.role === 'replica' && each.inSync === null;
  if (!others.every(isWithout)) return undefined;
  const reason = `nobody says who is in sync with ${lead.id}: that begins with ${lead.id} alone`;
  return { kind: 'in-sync-begins', member: lead.id, epoch: sentinelsEpoch(view), reason };
}

function leaves(
  view: View,
  lead: MemberView,
  others: readonly MemberView[],
  { sentinel }: InSyncRules,
): InSyncDecision | undefined {
  const member = lead.id;
  const epoch = sentinelsEpoch(view);
  const begun = begins(view, lead, others);
  if (begun !== undefined) return begun;
  if (lead.inSync === null || !lead.inSync.in.includes(member)) {
    const leaving = others.map(({ id }) => id);
    const before = { ...firstRecord(member, epoch), in: [member, ...leaving] };
    const reason = `${member} does not say who is in sync with it: that begins with ${member} alone`;
    return { kind: 'in-sync-leaves', member, before, leaving, reason };
  }
  const before = lead.inSync;
  const known = [...before.in, ...before.joining].filter((id) => id !== member);
  const gone = known.flatMap((id) => {
    const why = whyLeaves(
      others.find((each) => each.id === id),
      lead,
      sentinel.detectAfterMs,
    );
    return why === undefined ? [] : [{ id, why }];
  });
  const leaving = gone.map(({ id }) => id);
  if (gone.length > 0) {
    const reason = `${gone.map(({ id, why }) => `${id} ${why}`).join(', ')}: writes do not wait for it any more, and it may not lead`;
    return { kind: 'in-sync-leaves', member, before, leaving, reason };
  }
  if (before.leaving.length > 0) {
    const reason = `${before.leaving.join(', ')} was being left out, which had not come to its end: writes do not wait for it any more, and it may not lead`;
    return { kind: 'in-sync-leaves', member, before, leaving, reason };
  }
  if (before.epoch === epoch) return undefined;
  const reason = `who is in sync with ${member} is of another epoch than the Sentinels': it is made anew as it is`;
  return { kind: 'in-sync-leaves', member, before, leaving, reason };
}

function whyLeaves(
  member: MemberView | undefined,
  lead: MemberView,
  detectAfterMs: number,
): string | undefined {
  if (member === undefined) return 'is no member any more';
  const { process, reachable, refuses, role, priority, synced, busy } = member;
  if (process !== null && !process.running) return 'is down';
  if (!reachable && refuses && process === null) return 'is down';
  if (!reachable)
    return member.silentMs > 0 && member.unansweredMs >= detectAfterMs ? 'does not answer' : undefined;
  const behind =
    member.behindMs >= behindMs ? `has been behind for ${(member.behindMs / 1000).toFixed(1)} s` : undefined;
  // What it says of itself is old, or nothing.
  if (busy) return behind && `is busy (${busy.code}) and ${behind}`;
  if (member.fenced) return 'was told to wait for another lead, which was not made';
  if (role !== 'replica' || !followsMember(member, lead)) return `does not follow ${lead.id}`;
  if (priority === 0) return 'is not to be promoted';
  if (!synced) return 'is copied anew';
  return behind;
}

function joins(lead: MemberView, others: readonly MemberView[]): InSyncDecision | undefined {
  const known = lead.inSync?.in ?? [];
  const found = others.find((member) => !known.includes(member.id) && mayJoin(member, lead));
  if (found === undefined) return undefined;
  const reason = `${found.id} is in sync with ${lead.id}: writes wait for it from now on, and it may lead`;
  return { kind: 'in-sync-joins', member: found.id, reason };
}

function mayJoin(member: MemberView, lead: MemberView): boolean {
  const { process, reachable, busy, locksOut, role, linkUp, synced, priority } = member;
  const answers = reachable && !busy && locksOut === null && process?.running !== false;
  const follows = role === 'replica' && followsMember(member, lead) && linkUp && synced;
  return answers && follows && priority > 0 && member.behindMs <= levelMs;
}
