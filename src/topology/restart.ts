/** A process of ours that died is started again: when, and as what. decide.ts has the rules. */
import { emptyPrimaryOver, harmAsPrimary } from './data-guard.ts';
import type { DecideRules, Decision, IsPutOff } from './decision.ts';
import { actsBeside, isReplacedByItself, isUnderWay } from './election/candidacy.ts';
import { mayHavePromotedUnseen } from './election/selection.ts';
import { heirs, isEligible, isEligibleWhenReachable, isSure, willing } from './eligibility.ts';
import { whoIsUnheard } from './lead-on.ts';
import { hasVoters } from './own-word.ts';
import { restartVerdict } from './restart-budget.ts';
import {
  actingPrimary,
  type MemberView,
  namedPrimary,
  type ProcessView,
  type Refusal,
  type RefusalCode,
  type View,
  whoNames,
} from './view.ts';

/** How long the Sentinels may take to replace a lost primary before it is started again, if they still name it. */
const choosingMs = 15_000;

/** A Sentinel or a gate of ours that died, when it may be started again now. */
export function restartHelper(view: View, rules: DecideRules, nowMs: number): Decision | undefined {
  if (!view.helpersKept) return undefined;
  for (const { id, process } of [...view.sentinels, ...view.gates]) {
    if (!process || !isToRestart(process)) continue;
    const next = restartOne(view, id, process, rules, nowMs);
    if (next.kind === 'restart') return next;
  }
  return undefined;
}

export function restartDead(view: View, rules: DecideRules, nowMs: number, isPutOff: IsPutOff): Decision {
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
    if (!hasVoters(view)) return asItWas(member, 'no member says who leads yet');
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
  return othersFirst(view, member, rules, nowMs) ?? restartAsPrimary(view, member, rules, nowMs);
}

function asItWas({ id }: MemberView, why: string): Decision {
  const reason = `${id} is down, and ${why}: it starts as it was, and says itself whom it followed`;
  return { kind: 'restart', process: id, as: { kind: 'as-it-was' }, reason };
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
  const promoted = hasVoters(view) ? actsBeside(view, member) : undefined;
  if (promoted) {
    const reason = `${member.id} is down and ${promoted.id} acts as primary, which the Sentinels do not say yet`;
    return { kind: 'nothing', code: 'second-primary', reason, untilMs };
  }
  const able = view.members.filter((each) => isEligible(each) || missedOneAnswer(each));
  const next = willing(view, able).filter((each) => isSure(view, each, rules, nowMs));
  if (next.length === 0 || !isReplacedByItself(view, member, rules)) return undefined;
  const who = hasVoters(view) ? 'the Sentinels are choosing between' : 'another one is made primary of';
  const reason = `${member.id} is down and ${who} ${list(next)}`;
  return { kind: 'nothing', code: 'being-chosen', reason, untilMs };
}

/** The empty-primary guard: an empty primary would wipe every replica within a second. */
function restartAsPrimary(view: View, member: MemberView, rules: DecideRules, nowMs: number): Decision {
  if (member.process?.damage) {
    return refuse(
      member,
      'cannot-load',
      [],
      `${member.id} is not started: ${whoNames(view)} it primary, and it can't load its files. Its log says: ${member.process.damage}`,
      `Let another take over, with the data that it has: holdfast failover. Then ${member.id} puts its files aside and copies from that one. Or repair them: redis-check-aof --fix or redis-check-rdb says what is left of them; then holdfast restart ${member.id}`,
    );
  }
  const harm = harmAsPrimary(view, member);
  const unheard = hasVoters(view) ? [] : whoIsUnheard(view, member.id);
  if (harm === undefined && unheard.length > 0)
    return asItWas(member, `it led last, and ${list(unheard)} was not heard yet, which may lead by now`);
  const whole = hasVoters(view) || rules.mirror?.ack !== 'all' ? [] : heirs(view, rules, nowMs);
  if (harm === undefined && whole.length > 0)
    return asItWas(member, `it led last, and ${list(whole)} may have more than what is in its files`);
  if (harm === undefined) {
    const data = member.dataIntact ? 'its data is there' : 'no other member holds data';
    const reason = `${member.id} is down, ${whoNames(view)} it primary, no replica took over and ${data}: it starts as primary`;
    return { kind: 'restart', process: member.id, as: { kind: 'primary' }, reason };
  }
  return refuse(
    member,
    harm.code,
    harm.members,
    `${member.id} is not started: ${whoNames(view)} it primary still, but ${harm.text}`,
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
