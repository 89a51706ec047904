/**
 * What the agent does next. The rules, most urgent first; docs/failover.md tells where each comes from.
 *
 * 1. Paused, or during a planned change: nothing of what follows. But a planned change gives way when the primary is lost,
 *    that is when this agent would stand for election or the primary was stopped by a signal. And whatever is under way, but
 *    the end of the agent: a process of ours that was stopped by a signal is killed. Everybody would wait for it, the change as
 *    well. A kill changes nothing that is planned: it is what a crash at that moment would be. A gate or a Sentinel of ours that
 *    died is started again, too, but for the start of the agent, which starts them: clients and votes need them meanwhile.
 * 2. A process of ours that runs but was stopped, or has been silent for `hangAfter`, is killed: hang.ts.
 * 3. Our primary's process is gone, or the Sentinels agree that the primary is down: this agent stands for election
 *    (election/candidacy.ts). What the Sentinels do not take up of it they are told (election/not-taken-up.ts).
 * 4. A replica of ours follows someone else than the acting primary: it is pointed there, unless a Sentinel is at replacing that one.
 * 5. Standalone members: who is in sync with our lead, or not any more (in-sync-set.ts); also beside a plan: writes wait for them.
 * 6. A process of ours died, or was held back at the start: it is started, within its budget. A primary never comes
 *    back as primary by reflex: only if the Sentinels still name it, no failover is under way and no replica can take
 *    over, and its own data is there, as new as the others', or nobody has any. A replica with data does not follow an
 *    empty stranger.
 * 7. A Sentinel of ours does not watch what it should: it is told again (astray-sentinel.ts).
 * 8. Nothing comes to a replica of ours any more, though its link is up: it connects anew (dead-link.ts).
 * 9. A replica of ours is in sync, or is not: it may be promoted, or may not (eligibility.ts).
 *
 * An agent acts on its own processes only, unless it is elected. Who is primary is the Sentinels' word, never ours.
 */
import { type Astray, findAstray } from './astray-sentinel.ts';
import { emptyPrimaryOver, harmAsPrimary } from './data-guard.ts';
import { type DeadLink, findDeadLink } from './dead-link.ts';
import {
  actsBeside,
  type Candidacy,
  type CandidacyRules,
  type Cause,
  candidacy,
  causeInWords,
  hasQuorum,
  isUnderWay,
} from './election/candidacy.ts';
import { type Appointment, findAppointment } from './election/not-taken-up.ts';
import { mayHavePromotedUnseen } from './election/selection.ts';
import {
  decideEligibility,
  type EligibilityDecision,
  type EligibilityRules,
  isEligible,
  isEligibleWhenReachable,
  isSure,
  willing,
} from './eligibility.ts';
import { findDeaf, findHang, findStopped, type Hang, isStopped } from './hang.ts';
import { decideInSync, type InSyncDecision, isInSyncDecision } from './in-sync-set.ts';
import { type RestartRule, restartVerdict } from './restart-budget.ts';
import {
  actingPrimary,
  isAstray,
  isBeingReplaced,
  isDeposed,
  type MemberView,
  namedPrimary,
  type ProcessView,
  type Refusal,
  type RefusalCode,
  type View,
} from './view.ts';

/** How a restarted member begins. */
export type StartAs =
  | { kind: 'replica'; of: string; afresh?: true }
  | { kind: 'primary' }
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

/** How long the Sentinels may take to replace a lost primary before it is started again, if they still name it. */
const choosingMs = 15_000;

/** Whether what is decided failed a moment ago, and is to be tried again later: until then it keeps nobody from the rest. */
export type IsPutOff = (decision: Decision) => boolean;

export function decide(
  view: View,
  rules: DecideRules,
  nowMs: number,
  isPutOff: IsPutOff = () => false,
): Decision {
  if (view.paused) return { kind: 'nothing', code: 'paused', reason: 'automatic actions are paused' };
  const found = candidacy(view, rules, nowMs);
  if (view.operation !== null) {
    const reason = `${view.operation} is under way`;
    const yields = giveWay(view, found, nowMs);
    if (yields) return yields;
    if (!view.operationRests) {
      const beside = view.ending
        ? []
        : [killStopped(view), decideInSync(view, rules, nowMs), restartHelper(view, rules, nowMs)];
      const next = beside.find((decision) => decision !== undefined && !isPutOff(decision));
      return next ?? { kind: 'nothing', code: 'planned-change', reason };
    }
  }
  const now = (decision: Decision | undefined) => (decision && !isPutOff(decision) ? decision : undefined);
  const urgent =
    now(killHung(view, rules, nowMs)) ??
    now(stand(found, nowMs)) ??
    now(appoint(view, nowMs)) ??
    followPrimary(view, isPutOff) ??
    now(decideInSync(view, rules, nowMs));
  if (urgent) return urgent;
  const next = restartDead(view, rules, nowMs, isPutOff);
  if (next.kind !== 'nothing') return next;
  const astray = findAstray(view, nowMs);
  const dead = findDeadLink(view);
  const mild =
    now(astray && { kind: 'monitor', ...astray }) ??
    now(dead && { kind: 'reconnect', ...dead }) ??
    now(decideEligibility(view, rules, nowMs));
  const untilMs = found && Math.min(next.untilMs ?? Infinity, found.fromMs);
  return mild ?? (untilMs === undefined ? next : { ...next, untilMs });
}

function giveWay(view: View, found: Candidacy | undefined, nowMs: number): Decision | undefined {
  if (!view.givesWay) return undefined;
  if (found && nowMs >= found.fromMs) {
    const { primary, cause } = found;
    return { kind: 'give-way', member: primary.id, code: cause, reason: causeInWords(primary.id, cause) };
  }
  const named = namedPrimary(view)?.id;
  const primary = view.members.find(({ id }) => id === named);
  if (!primary?.process || !isStopped(primary.process)) return undefined;
  const reason = `the primary ${primary.id} was stopped by a signal`;
  return { kind: 'give-way', member: primary.id, code: 'stopped', reason };
}

function killStopped(view: View): Decision | undefined {
  const hang = findStopped(view);
  return hang && { kind: 'kill', ...hang };
}

/** A Sentinel or a gate of ours that died, when it may be started again now. */
function restartHelper(view: View, rules: DecideRules, nowMs: number): Decision | undefined {
  if (!view.helpersKept) return undefined;
  for (const { id, process } of [...view.sentinels, ...view.gates]) {
    if (!process || !isToRestart(process)) continue;
    const next = restartOne(view, id, process, rules, nowMs);
    if (next.kind === 'restart') return next;
  }
  return undefined;
}

/** Whether it is done whatever is planned. */
export function isBesidePlans(decision: Decision): boolean {
  if (isInSyncDecision(decision)) return true;
  if (decision.kind === 'restart') return decision.as.kind === 'as-configured';
  return decision.kind === 'kill' && decision.code === 'stopped';
}

function killHung(view: View, { agent }: DecideRules, nowMs: number): Decision | undefined {
  const hang = findHang(view, agent.hangAfterMs) ?? findDeaf(view, agent.hangAfterMs, nowMs);
  return hang && { kind: 'kill', ...hang };
}

/** Rules and causes: election/candidacy.ts. */
function stand(found: Candidacy | undefined, nowMs: number): Decision | undefined {
  if (!found || nowMs < found.fromMs) return undefined;
  const { primary, cause, fit } = found;
  const reason = `${causeInWords(primary.id, cause)} and ${list(fit)} can take over: this agent stands for election`;
  return { kind: 'stand', member: primary.id, code: cause, reason };
}

function appoint(view: View, nowMs: number): Decision | undefined {
  const found = findAppointment(view, nowMs);
  return found && { kind: 'appoint', ...found };
}

function followPrimary(view: View, isPutOff: IsPutOff): Decision | undefined {
  const [primary, named] = [actingPrimary(view), namedPrimary(view)];
  const old = view.members.find(({ id }) => id === named?.id);
  if (!primary || (primary.id === old?.id ? isBeingReplaced(view) : old?.reachable)) return undefined;
  const astray = view.members.filter(
    (member) =>
      member.process?.running &&
      member.reachable &&
      !member.busy &&
      member.id !== primary.id &&
      // Told in a later epoch it would refuse: who is in sync is made anew in one above that (in-sync-set.ts).
      member.toldIn <= (named?.epoch ?? 0) &&
      (isDeposed(view, member) || isAstray(member, primary)),
  );
  return astray.map((member) => follow(member, primary)).find((decision) => !isPutOff(decision));
}

function follow({ id, role }: MemberView, primary: MemberView): Decision {
  const code = role === 'primary' ? 'second-primary' : 'astray';
  const now = code === 'second-primary' ? 'acts as a second primary' : 'follows another server';
  const reason = `${id} ${now}; the primary is ${primary.id}`;
  return { kind: 'follow', member: id, code, primary: primary.id, reason };
}

function restartDead(view: View, rules: DecideRules, nowMs: number, isPutOff: IsPutOff): Decision {
  const waiting: Extract<Decision, { kind: 'nothing' }>[] = [];
  for (const part of [...view.sentinels, ...view.members, ...view.gates]) {
    if (!part.process || !isToRestart(part.process)) continue;
    const next = restartOne(view, part.id, part.process, rules, nowMs);
    if (next.kind === 'nothing') waiting.push(next);
    else if (!isPutOff(next)) return next;
  }
  const [first] = waiting.sort((a, b) => (a.untilMs ?? Infinity) - (b.untilMs ?? Infinity));
  return first ?? { kind: 'nothing', code: 'all-well', reason: 'all is as it should be' };
}

function restartOne(
  view: View,
  id: string,
  process: ProcessView,
  rules: DecideRules,
  nowMs: number,
): Decision {
  const { restarts } = rules.agent;
  const verdict = restartVerdict(process.restartsMs, process.diedAtMs ?? nowMs, nowMs, restarts);
  if (verdict.kind === 'exhausted') {
    const reason = `${id} died again after ${restarts.limit} restarts within ${restarts.withinMs} ms; it stays down until a person acts`;
    return { kind: 'give-up', process: id, reason };
  }
  if (verdict.kind === 'wait') {
    const reason = `${id} is restarted after a pause`;
    return { kind: 'nothing', code: 'restart-pause', reason, untilMs: verdict.untilMs };
  }
  const member = view.members.find((each) => each.id === id);
  if (member) return restartMember(view, member, rules, nowMs);
  return { kind: 'restart', process: id, as: { kind: 'as-configured' }, reason: `${id} died` };
}

function restartMember(view: View, member: MemberView, rules: DecideRules, nowMs: number): Decision {
  if (!member.diskKnown) {
    const reason = `${member.id} is down and what is on its disk is not known yet`;
    return { kind: 'nothing', code: 'disk-unknown', reason };
  }
  const named = namedPrimary(view);
  const primary = actingPrimary(view)?.id ?? named?.id;
  if (primary === undefined) {
    return {
      kind: 'nothing',
      code: 'no-named-primary',
      reason: `${member.id} is down; it waits for a majority of Sentinels to say who is primary`,
    };
  }
  if (primary !== member.id) {
    const empty = emptyPrimaryOver(view, member);
    if (empty) {
      return refuse(
        member,
        'would-be-wiped',
        [empty],
        `${member.id} is not started: the primary ${empty.id} is empty and of another history, and following it would wipe the ${member.kept?.keys} keys that ${member.id} has on disk`,
        `Bring the data back into ${empty.id} (restore a backup), or, if the database is meant to be empty: holdfast restart ${member.id} --accept-data-loss`,
      );
    }
    if (member.process?.refusal && actingPrimary(view) === null) {
      return { kind: 'nothing', code: 'refused', reason: member.process.refusal.reason };
    }
    if (member.process?.damage) return copyAfresh(view, member, member.process.damage);
    const reason = `${member.id} is down and the primary is ${primary}: it starts as its replica`;
    return { kind: 'restart', process: member.id, as: { kind: 'replica', of: primary }, reason };
  }
  return othersFirst(view, member, rules, nowMs) ?? restartAsPrimary(view, member);
}

/** A replica whose files are damaged needs none of them, once there is a primary that has everything. */
function copyAfresh(view: View, member: MemberView, damage: string): Decision {
  const primary = actingPrimary(view);
  if (primary === null) {
    return {
      kind: 'nothing',
      code: 'no-primary',
      reason: `${member.id} can't load its files, and waits for a primary: ${damage}`,
    };
  }
  const reason = `${member.id} can't load its files: they are put aside, and it copies everything from ${primary.id}. Its log says: ${damage}`;
  return {
    kind: 'restart',
    process: member.id,
    as: { kind: 'replica', of: primary.id, afresh: true },
    reason,
  };
}

/** A primary that died comes back as primary only when nobody else can take over from it, or already has. */
function othersFirst(
  view: View,
  member: MemberView,
  rules: DecideRules,
  nowMs: number,
): Decision | undefined {
  if (isUnderWay(view, member, nowMs) || mayHavePromotedUnseen(view)) {
    const reason = `${member.id} is down and a failover from it is under way`;
    return { kind: 'nothing', code: 'failover', reason };
  }
  const untilMs = (member.process?.diedAtMs ?? nowMs) + choosingMs;
  if (nowMs >= untilMs) return undefined;
  const promoted = actsBeside(view, member);
  if (promoted) {
    const reason = `${member.id} is down and ${promoted.id} acts as primary, which the Sentinels do not say yet`;
    return { kind: 'nothing', code: 'second-primary', reason, untilMs };
  }
  const able = view.members.filter((each) => isEligible(each) || missedOneAnswer(each));
  const heirs = willing(view, able).filter((each) => isSure(view, each, rules, nowMs));
  if (heirs.length === 0 || !hasQuorum(view, rules)) return undefined;
  const reason = `${member.id} is down and the Sentinels are choosing between ${list(heirs)}`;
  return { kind: 'nothing', code: 'being-chosen', reason, untilMs };
}

/** The empty-primary guard: an empty primary would wipe every replica within a second. */
function restartAsPrimary(view: View, member: MemberView): Decision {
  if (member.process?.damage) {
    return refuse(
      member,
      'cannot-load',
      [],
      `${member.id} is not started: the Sentinels name it primary, and it can't load its files. Its log says: ${member.process.damage}`,
      `Let another take over, with the data that it has: holdfast failover. Then ${member.id} puts its files aside and copies from that one. Or repair them: redis-check-aof --fix or redis-check-rdb says what is left of them; then holdfast restart ${member.id}`,
    );
  }
  const harm = harmAsPrimary(view, member);
  if (harm === undefined) {
    const data = member.dataIntact ? 'its data is there' : 'no other member holds data';
    const reason = `${member.id} is down, the Sentinels name it primary, no replica took over and ${data}: it starts as primary`;
    return { kind: 'restart', process: member.id, as: { kind: 'primary' }, reason };
  }
  return refuse(
    member,
    harm.code,
    harm.members,
    `${member.id} is not started: the Sentinels still name it primary, but ${harm.text}`,
    `Bring its data back (restore a backup into it), or let one of the others take over: holdfast failover. To start it as it is on purpose: holdfast restart ${member.id} --accept-data-loss`,
  );
}

function refuse(
  member: MemberView,
  code: RefusalCode,
  others: readonly MemberView[],
  reason: string,
  hint: string,
): Decision {
  const about = others.map(({ id }) => id);
  if (isSameRefusal(member.process?.refusal, code, about))
    return { kind: 'nothing', code: 'refused', reason };
  return { kind: 'refuse', member: member.id, code, about, reason, hint };
}

function isSameRefusal(
  before: Refusal | null | undefined,
  code: RefusalCode,
  about: readonly string[],
): boolean {
  return before?.code === code && before.about.join() === about.join();
}

function isToRestart({ running, diedAtMs, failed, ending }: ProcessView): boolean {
  return !running && diedAtMs !== null && !failed && !ending;
}

/** It was fit until it left one or two questions unanswered, and that may be our own fault. */
function missedOneAnswer(member: MemberView): boolean {
  return !member.reachable && member.silentMs === 0 && isEligibleWhenReachable(member);
}

function list(members: readonly MemberView[]): string {
  return members.map(({ id }) => id).join(', ');
}
