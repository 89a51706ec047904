/**
 * Which replica may be promoted. `replica-priority 0` says "never" to Sentinels and agents alike, so that is where it is
 * written down, by the agent whose process it is:
 *
 * 1. A replica starts with 0 and gets its priority when it is in sync with the primary. Before, it has whatever it had
 *    on disk: promoted while the others hang, it would make everybody go back to that.
 * 2. It loses it when it begins to copy everything anew, and when its link has been broken for so long that the primary
 *    has what it lacks for ten seconds. The primary must answer for that to count: when it is gone, all links are
 *    broken, and nobody must be taken out of the choice.
 * 3. With `durability: replicated` a write is acknowledged when every replica that could be promoted has it. One that
 *    does not keep up would hold all writes up, so it loses its eligibility, unless no other would be left. The gates
 *    see that at the Sentinels, and only then stop waiting for it. One that comes back lacks what was acknowledged without it:
 *    it gets its priority when the primary says that it has caught up, and takes over when all gates surely wait for it
 *    (catch-up.ts).
 * 4. When the primary has not been there for ten seconds, all others answer and none of them has been in sync since it
 *    started (after a power cut, say, from which its host did not come back), there is nobody to wait for: those that
 *    hold data may be promoted with that.
 *
 * 5. One that hears nothing from the primary, as its agent does, while another one hears it and has more: only the way from here
 *    to the primary is broken. With `durability: replicated` writes would wait for it until that heals, so it is out.
 *
 * Otherwise nobody is put in or out while the primary does not answer, or a failover is under way. A priority of 0 that
 * somebody else set stays.
 */
import { failoverToWaitFor } from './election/selection.ts';
import { type Ack, whoMayLead } from './in-sync-record.ts';
import {
  actingPrimary,
  followsMember,
  type MemberView,
  namedPrimary,
  sentinelsEpoch,
  type View,
} from './view.ts';

/** What a replica has when nothing speaks against it; Redis's own default. */
export const usualPriority = 100;

/** Why a replica is not to be promoted, as its primary and it say. */
type OutOfSync = 'not-synced' | 'link-broken' | 'behind';
/** The same, and what another replica says. */
export type Ineligibility = OutOfSync | 'cut-off';

export type EligibilityDecision =
  | { kind: 'replica-ineligible'; member: string; code: Ineligibility; reason: string }
  | { kind: 'replica-eligible'; member: string; code: 'in-sync' | 'last-resort'; reason: string };

export interface EligibilityRules {
  gate: { durability: 'async' | 'replicated' };
  /** Of standalone members; null where they replicate. */
  mirror?: { ack: 'one' | 'quorum' | 'all'; onSplit?: 'refuse' | 'serve' } | null;
}

/** Sentinels give up on a replica after ten times `down-after`; here the time counts only as long as something is lacking. */
const brokenMs = 10_000;
/** As long as a Sentinel takes at least to call a silent member down. */
const behindMs = 3000;
/** Longer than a primary of which everything is known takes to be started again. */
const lastResortMs = 10_000;
/** After so long without a primary one takes over of which it is not sure that it has all that was acknowledged. */
export const unsureMs = 10_000;
/** Members are looked at every second, one after the other: this much says nothing. */
const levelMs = 1500;
/** Redis counts silence in whole seconds: of a primary that died two may say so much apart, and both have heard the same. */
const apartMs = 2000;

/** A replica that can take over without losing what it never had. One that was stopped by a signal answers nobody. */
export function isEligible(member: MemberView): boolean {
  const isStopped = (member.process?.activity.stoppedMs ?? 0) > 0;
  return member.reachable && !isStopped && isEligibleWhenReachable(member);
}

/**
 * Who may take over now. With `replicated` only those that surely have all that was acknowledged: when there is none, a primary
 * that comes back has it. @param fencedIn of standalone members only those count that are fenced in this epoch; null: all
 */
export function heirs(
  view: View,
  rules: EligibilityRules,
  nowMs: number,
  fencedIn: number | null = null,
): MemberView[] {
  return willing(view, view.members.filter(isEligible)).filter((member) =>
    isSure(view, member, rules, nowMs, fencedIn),
  );
}

/** Whether members are fenced before it is chosen who leads: with `quorum` a write counts that some of them lack. */
export function isFencedBefore({ mirror }: EligibilityRules): boolean {
  return mirror?.ack === 'quorum';
}

function isLongGone({ noPrimarySinceMs }: View, nowMs: number): boolean {
  return noPrimarySinceMs !== null && nowMs - noPrimarySinceMs >= unsureMs;
}

/**
 * Whether it has all that was acknowledged, as far as that was promised. Of standalone members that is written down
 * (in-sync-record.ts), and no time makes up for it.
 */
export function isSure(
  view: View,
  member: MemberView,
  rules: EligibilityRules,
  nowMs: number,
  fencedIn: number | null = null,
): boolean {
  const { gate, mirror } = rules;
  if (mirror != null && mirror.ack !== 'one') return isSureByRecord(view, member, mirror.ack, fencedIn);
  return member.awaited || gate.durability === 'async' || isLongGone(view, nowMs);
}

function isSureByRecord(view: View, { id }: MemberView, ack: Ack, fencedIn: number | null): boolean {
  const counts = ({ fenced, toldIn }: MemberView) => fencedIn === null || (fenced && toldIn === fencedIn);
  const holders = view.members
    .filter(({ reachable, role }) => reachable && role === 'replica')
    .map((each) => {
      const { inSync: record, offset, histories } = each;
      return {
        id: each.id,
        record,
        offset,
        history: histories[0] ?? '',
        fit: isEligible(each) && counts(each),
      };
    });
  return whoMayLead(holders, sentinelsEpoch(view), ack).some((each) => each.id === id);
}

/** Those of them that did not lately refuse to be made primary. */
export function willing({ unwilling }: View, members: readonly MemberView[]): MemberView[] {
  return members.filter(({ id }) => !unwilling.some(({ member }) => member === id));
}

/** What holds of such a replica, also of one that may only have missed a question. */
export function isEligibleWhenReachable(member: MemberView): boolean {
  return (
    !member.busy &&
    member.role === 'replica' &&
    member.synced &&
    member.priority > 0 &&
    (member.process === null || member.process.running)
  );
}

/** What is to be changed about a replica of this host; undefined when nothing is. */
export function decideEligibility(
  view: View,
  rules: EligibilityRules,
  nowMs: number,
): EligibilityDecision | undefined {
  const primary = actingPrimary(view);
  if (failoverToWaitFor(view, nowMs) !== undefined) return undefined;
  if (primary === null) return cutOff(view, rules) ?? lastResort(view, nowMs);
  if (primary.busy) return undefined;
  for (const member of view.members) {
    const { process, reachable, busy, role } = member;
    if (!process?.running || !reachable || busy || role !== 'replica') continue;
    const decision = member.priority > 0 ? takeOut(view, member, rules) : putBack(member, rules);
    if (decision !== undefined) return decision;
  }
  return undefined;
}

function takeOut(view: View, member: MemberView, rules: EligibilityRules): EligibilityDecision | undefined {
  const code = ineligibility(view, member, rules);
  if (code === undefined) return undefined;
  const seconds = (member.behindMs / 1000).toFixed(1);
  const primary = actingPrimary(view);
  const how =
    primary === null || followsMember(member, primary)
      ? 'has been behind'
      : 'has followed another server than the primary';
  const reasons: Record<OutOfSync, string> = {
    'not-synced': `${member.id} is not in sync with the primary yet: it is not to be promoted before it is`,
    'link-broken': `${member.id} has no link to the primary and has been behind for ${seconds} s: it is not to be promoted`,
    behind: `${member.id} ${how} for ${seconds} s: it is not to be promoted, so that writes need not wait for it`,
  };
  return { kind: 'replica-ineligible', member: member.id, code, reason: reasons[code] };
}

function ineligibility(view: View, member: MemberView, rules: EligibilityRules): OutOfSync | undefined {
  if (!member.synced) return 'not-synced';
  if (!member.linkUp && member.behindMs >= brokenMs) return 'link-broken';
  if (rules.gate.durability !== 'replicated' || member.behindMs < behindMs) return undefined;
  const others = view.members.some(
    (other) => other.id !== member.id && isEligible(other) && other.awaited && isLevel(other),
  );
  return others ? 'behind' : undefined;
}

function putBack(member: MemberView, rules: EligibilityRules): EligibilityDecision | undefined {
  const { id, heldBack, linkUp, synced } = member;
  if (!heldBack || !linkUp || !synced) return undefined;
  if (rules.gate.durability === 'replicated' && !(member.caughtUp && isLevel(member))) return undefined;
  return {
    kind: 'replica-eligible',
    member: id,
    code: 'in-sync',
    reason: `${id} is in sync with the primary: it may be promoted`,
  };
}

function cutOff(view: View, { gate, mirror }: EligibilityRules): EligibilityDecision | undefined {
  const named = namedPrimary(view)?.id;
  const primary = view.members.find(({ id }) => id === named);
  // Of standalone members the lead writes down who is in sync.
  if (gate.durability !== 'replicated' || (mirror ?? null) !== null) return undefined;
  if (primary === undefined || view.selection !== null) return undefined;
  const followers = view.members.filter(
    (member) => isEligible(member) && !member.busy && followsMember(member, primary),
  );
  for (const member of followers) {
    if (!member.process?.running || member.linkSilentMs < behindMs) continue;
    const isInstead = (each: MemberView) =>
      each.awaited && hears(each) && each.linkSilentMs + apartMs <= member.linkSilentMs;
    const other = followers.find((each) => isInstead(each) && each.offset > member.offset);
    if (other === undefined) continue;
    const reason = `${member.id} hears nothing from the primary ${primary.id}, which ${other.id} hears: it is not to be promoted, so that writes need not wait for it`;
    return { kind: 'replica-ineligible', member: member.id, code: 'cut-off', reason };
  }
  return undefined;
}

function hears({ linkUp, linkSilentMs }: MemberView): boolean {
  return linkUp && linkSilentMs < behindMs;
}

function lastResort(view: View, nowMs: number): EligibilityDecision | undefined {
  const { noPrimarySinceMs, members } = view;
  const named = namedPrimary(view)?.id;
  const gone = members.find(({ id }) => id === named);
  if (!gone || gone.reachable || gone.process?.running) return undefined;
  if (noPrimarySinceMs === null || nowMs - noPrimarySinceMs < lastResortMs) return undefined;
  const others = members.filter(({ id }) => id !== named);
  const isCold = ({ reachable, busy, role, synced }: MemberView) =>
    reachable && !busy && role === 'replica' && !synced;
  if (!others.every(isCold)) return undefined;
  const holdData = others.some(({ keys }) => (keys ?? 0) > 0);
  const own = others.find(
    ({ process, priority, heldBack, keys }) =>
      process?.running && priority === 0 && heldBack && ((keys ?? 0) > 0 || !holdData),
  );
  if (!own) return undefined;
  const reason = `the primary ${gone.id} does not come back and no other member has been in sync since it started: ${own.id} may be promoted with what it has`;
  return { kind: 'replica-eligible', member: own.id, code: 'last-resort', reason };
}

function isLevel({ linkUp, behindMs: forMs }: MemberView): boolean {
  return linkUp && forMs <= levelMs;
}
