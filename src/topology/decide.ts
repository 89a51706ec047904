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
 * An agent acts on its own processes only, unless it is elected. Who is primary is the Sentinels' word, never ours; where there
 * are none, the members' own (own-word.ts), and a member of ours that is to lead by it is told so (lead-on.ts).
 */
import { findAstray } from './astray-sentinel.ts';
import { findDeadLink } from './dead-link.ts';
import type { DecideRules, Decision, IsPutOff } from './decision.ts';
import { type Candidacy, candidacy, causeInWords } from './election/candidacy.ts';
import { findAppointment } from './election/not-taken-up.ts';
import { decideEligibility } from './eligibility.ts';
import { findDeaf, findHang, findStopped, isStopped } from './hang.ts';
import { decideInSync, isInSyncDecision } from './in-sync-set.ts';
import { decideLead } from './lead-on.ts';
import { restartDead, restartHelper } from './restart.ts';
import {
  actingPrimary,
  isAstray,
  isBeingReplaced,
  isDeposed,
  type MemberView,
  namedPrimary,
  type View,
} from './view.ts';

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
    now(decideLead(view)) ??
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
  // Whoever started it again says next what it is.
  if (found && nowMs >= found.fromMs && found.cause !== 'started-again') {
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
  const reason = `${causeInWords(primary.id, cause)} and ${fit.map(({ id }) => id).join(', ')} can take over: this agent stands for election`;
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
