/**
 * What the agent does next. The rules, most urgent first; docs/failover.md tells where each comes from.
 *
 * 1. Paused, or during a planned change: nothing of what follows.
 * 2. A member of ours that runs but has been silent for `hangAfter` is killed: dead is certain, silent is not.
 * 3. Our primary's process is gone: one Sentinel is asked to fail over, if the Sentinels have quorum, none of them
 *    is at it already, nobody has been selected or promoted yet, and a replica is fit. Only the agent that owned the
 *    process may ask. The other Sentinels hear of a failover a second late: asked too early, they'd start a second.
 * 4. A Sentinel selected a replica of ours and the old primary is gone: it is promoted at once.
 * 5. A replica of ours follows someone else than the acting primary: it is pointed there.
 * 6. A process of ours died, or was held back at the start: it is started, within its budget. A primary never comes
 *    back as primary by reflex: only if the Sentinels still name it, no failover is under way and no replica can take
 *    over, and its own data is there, as new as the others', or nobody has any. A replica with data does not follow an
 *    empty stranger.
 * 7. A replica of ours is in sync, or is not: it may be promoted, or may not (eligibility.ts).
 *
 * An agent acts on its own processes only. Who is primary is the Sentinels' word, never ours.
 */
import { emptyPrimaryOver, harmAsPrimary } from './data-guard.ts';
import {
  decideEligibility,
  type EligibilityDecision,
  type EligibilityRules,
  isEligible,
  isEligibleWhenReachable,
} from './eligibility.ts';
import { type RestartRule, restartVerdict } from './restart-budget.ts';
import { actingPrimary, type MemberView, namedPrimary, type ProcessView, type View } from './view.ts';

/** How a restarted member begins. */
export type StartAs = { kind: 'replica'; of: string } | { kind: 'primary' } | { kind: 'as-configured' };

export type Decision =
  | { kind: 'nothing'; reason: string; untilMs?: number }
  | { kind: 'kill'; member: string; reason: string }
  | { kind: 'failover'; member: string; sentinel: string; reason: string }
  | { kind: 'promote'; member: string; reason: string }
  | { kind: 'follow'; member: string; primary: string; reason: string }
  | { kind: 'restart'; process: string; as: StartAs; reason: string }
  | { kind: 'refuse'; member: string; reason: string; hint: string }
  | { kind: 'give-up'; process: string; reason: string }
  | EligibilityDecision;

/** The part of a spec that deciding needs. */
export interface DecideRules extends EligibilityRules {
  sentinel: { quorum: number };
  agent: { hangAfterMs: number; restarts: RestartRule };
}

/**
 * How long a Sentinel may take to select a replica before it, or another, is asked again. The others hear of a forced
 * failover after 1.1-1.2 s; one that was asked before would promote a different replica.
 */
const askAgainAfterMs = 1500;

/** How long the Sentinels may take to replace a lost primary before it is started again, if they still name it. */
const choosingMs = 15_000;

export function decide(view: View, rules: DecideRules, nowMs: number): Decision {
  if (view.paused) return { kind: 'nothing', reason: 'automatic actions are paused' };
  if (view.operation !== null) return { kind: 'nothing', reason: `${view.operation} is under way` };
  const urgent =
    killHung(view, rules) ?? failOver(view, rules, nowMs) ?? promoteSelected(view) ?? followPrimary(view);
  if (urgent) return urgent;
  const restart = restartDead(view, rules, nowMs);
  return restart.kind === 'nothing' ? (decideEligibility(view, rules) ?? restart) : restart;
}

function killHung(view: View, rules: DecideRules): Decision | undefined {
  const limitMs = rules.agent.hangAfterMs;
  const hung = view.members.find(
    ({ process, busy, silentMs }) => process?.running && !busy && silentMs >= limitMs,
  );
  if (!hung) return undefined;
  // The same words each time: the loop knows by them what failed lately, and paces it.
  const reason = `${hung.id} has not answered for ${limitMs} ms though its process lives; it is killed so that it can't come back half-alive`;
  return { kind: 'kill', member: hung.id, reason };
}

/** Our own primary, as the Sentinels see it, when its process died. */
function lostPrimary(view: View): MemberView | undefined {
  const named = namedPrimary(view)?.id;
  return view.members.find(({ id, process }) => id === named && process !== null && hasDied(process));
}

function failOver(view: View, rules: DecideRules, nowMs: number): Decision | undefined {
  const lost = lostPrimary(view);
  if (!lost) return undefined;
  const diedAtMs = lost.process?.diedAtMs ?? nowMs;
  const askedMs = view.failoverAskedAtMs;
  const asked = askedMs !== null && askedMs >= diedAtMs && nowMs - askedMs < askAgainAfterMs;
  if (isUnderWay(view, lost) || actsBeside(view, lost) || asked || !hasQuorum(view, rules)) return undefined;
  const fit = view.members.filter(isEligible);
  const sentinel = calmSentinels(view)[0];
  if (fit.length === 0 || sentinel === undefined) return undefined;
  const reason = `the process of the primary ${lost.id} is gone and ${list(fit)} can take over: ${sentinel.id} is asked to fail over`;
  return { kind: 'failover', member: lost.id, sentinel: sentinel.id, reason };
}

/**
 * Whether someone is about to take over from the primary that was lost. A selection counts also when it is older than
 * the death: of a primary that hangs the Sentinels may be rid before we kill it.
 */
function isUnderWay(view: View, lost: MemberView): boolean {
  const selected = view.selection !== null && view.selection.member !== lost.id;
  return (
    selected || view.sentinels.some(({ reachable, failoverInProgress }) => reachable && failoverInProgress)
  );
}

/** Another member that acts as primary: promoted, most likely, though the Sentinels don't say so yet. */
function actsBeside(view: View, lost: MemberView): MemberView | undefined {
  return view.members.find(({ id, reachable, role }) => id !== lost.id && reachable && role === 'primary');
}

function promoteSelected(view: View): Decision | undefined {
  const selected = view.members.find(({ id }) => id === view.selection?.member);
  if (!selected?.process?.running || !selected.reachable || selected.role !== 'replica') return undefined;
  const old = view.members.find(({ id }) => id === namedPrimary(view)?.id);
  // While the old primary lives, someone drains it first; the promotion is theirs.
  if (!old || old.id === selected.id || old.reachable || old.process?.running) return undefined;
  const reason = `the Sentinels selected ${selected.id} and the primary ${old.id} is gone`;
  return { kind: 'promote', member: selected.id, reason };
}

function followPrimary(view: View): Decision | undefined {
  const primary = actingPrimary(view);
  const old = view.members.find(({ id }) => id === namedPrimary(view)?.id);
  if (!primary || (old && old.id !== primary.id && old.reachable)) return undefined;
  const astray = view.members.find(
    (member) =>
      member.process?.running &&
      member.reachable &&
      !member.busy &&
      member.id !== primary.id &&
      (isDeposed(view, member) || (member.role === 'replica' && !followsMember(member, primary))),
  );
  if (!astray) return undefined;
  const now = astray.role === 'primary' ? 'acts as a second primary' : 'follows another server';
  const reason = `${astray.id} ${now}; the primary is ${primary.id}`;
  return { kind: 'follow', member: astray.id, primary: primary.id, reason };
}

/**
 * A primary that the Sentinels have replaced. While one of them names it at an epoch as high as the majority's, the
 * news of its own election may still be on its way to the others, and demoting it would undo that.
 */
function isDeposed(view: View, member: MemberView): boolean {
  const named = namedPrimary(view);
  if (member.role !== 'primary' || named === null || named.id === member.id || view.selection !== null)
    return false;
  return !view.sentinels.some(
    ({ reachable, primary, configEpoch }) => reachable && primary === member.id && configEpoch >= named.epoch,
  );
}

function restartDead(view: View, rules: DecideRules, nowMs: number): Decision {
  const waiting: { reason: string; untilMs?: number }[] = [];
  for (const part of [...view.sentinels, ...view.members, ...view.gates]) {
    if (!part.process || !hasDied(part.process) || part.process.failed) continue;
    const next = restartOne(view, part.id, part.process, rules, nowMs);
    if (next.kind !== 'nothing') return next;
    waiting.push(next);
  }
  const [first] = waiting.sort((a, b) => (a.untilMs ?? Infinity) - (b.untilMs ?? Infinity));
  return first ? { kind: 'nothing', ...first } : { kind: 'nothing', reason: 'all is as it should be' };
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
    return { kind: 'nothing', reason: `${id} is restarted after a pause`, untilMs: verdict.untilMs };
  }
  const member = view.members.find((each) => each.id === id);
  if (member) return restartMember(view, member, rules, nowMs);
  return { kind: 'restart', process: id, as: { kind: 'as-configured' }, reason: `${id} died` };
}

function restartMember(view: View, member: MemberView, rules: DecideRules, nowMs: number): Decision {
  const named = namedPrimary(view);
  const primary = actingPrimary(view)?.id ?? named?.id;
  if (primary === undefined) {
    return {
      kind: 'nothing',
      reason: `${member.id} is down; it waits for a majority of Sentinels to say who is primary`,
    };
  }
  if (primary !== member.id) {
    const empty = emptyPrimaryOver(view, member);
    if (empty) {
      return refuse(
        member,
        `${member.id} is not started: the primary ${empty.id} is empty and of another history, and following it would wipe the ${member.kept?.keys} keys that ${member.id} has on disk`,
        `Bring the data back into ${empty.id} (restore a backup), or, if the database is meant to be empty: holdfast restart ${member.id} --accept-data-loss`,
      );
    }
    if (member.process?.refusal && actingPrimary(view) === null) {
      return { kind: 'nothing', reason: member.process.refusal };
    }
    const reason = `${member.id} is down and the primary is ${primary}: it starts as its replica`;
    return { kind: 'restart', process: member.id, as: { kind: 'replica', of: primary }, reason };
  }
  return othersFirst(view, member, rules, nowMs) ?? restartAsPrimary(view, member);
}

/** A primary that died comes back as primary only when nobody else can take over from it, or already has. */
function othersFirst(
  view: View,
  member: MemberView,
  rules: DecideRules,
  nowMs: number,
): Decision | undefined {
  if (isUnderWay(view, member)) {
    return { kind: 'nothing', reason: `${member.id} is down and a failover from it is under way` };
  }
  const untilMs = (member.process?.diedAtMs ?? nowMs) + choosingMs;
  if (nowMs >= untilMs) return undefined;
  const promoted = actsBeside(view, member);
  if (promoted) {
    const reason = `${member.id} is down and ${promoted.id} acts as primary, which the Sentinels do not say yet`;
    return { kind: 'nothing', reason, untilMs };
  }
  const heirs = view.members.filter((each) => isEligible(each) || missedOneAnswer(each));
  if (heirs.length === 0 || !hasQuorum(view, rules)) return undefined;
  const reason = `${member.id} is down and the Sentinels are choosing between ${list(heirs)}`;
  return { kind: 'nothing', reason, untilMs };
}

/** The empty-primary guard: an empty primary would wipe every replica within a second. */
function restartAsPrimary(view: View, member: MemberView): Decision {
  const harm = harmAsPrimary(view, member);
  if (harm === undefined) {
    const data = member.dataIntact ? 'its data is there' : 'no other member holds data';
    const reason = `${member.id} is down, the Sentinels name it primary, no replica took over and ${data}: it starts as primary`;
    return { kind: 'restart', process: member.id, as: { kind: 'primary' }, reason };
  }
  return refuse(
    member,
    `${member.id} is not started: the Sentinels still name it primary, but ${harm}`,
    `Bring its data back (restore a backup into it), or let one of the others take over: holdfast failover. To start it as it is on purpose: holdfast restart ${member.id} --accept-data-loss`,
  );
}

function refuse(member: MemberView, reason: string, hint: string): Decision {
  if (member.process?.refusal === reason) return { kind: 'nothing', reason };
  return { kind: 'refuse', member: member.id, reason, hint };
}

function hasDied(process: ProcessView): boolean {
  return !process.running && process.diedAtMs !== null;
}

/** It was fit until it left one or two questions unanswered, and that may be our own fault. */
function missedOneAnswer(member: MemberView): boolean {
  return !member.reachable && member.silentMs === 0 && isEligibleWhenReachable(member);
}

function calmSentinels(view: View) {
  return view.sentinels.filter(({ reachable, tilt }) => reachable && !tilt);
}

/** A failover needs the quorum that the spec says and a majority, as SENTINEL CKQUORUM counts. */
function hasQuorum(view: View, { sentinel: { quorum } }: DecideRules): boolean {
  const majority = Math.floor(view.sentinels.length / 2) + 1;
  return calmSentinels(view).length >= Math.max(majority, quorum);
}

function followsMember(replica: MemberView, primary: MemberView): boolean {
  return replica.follows?.address === primary.address && replica.follows.port === primary.port;
}

function list(members: readonly MemberView[]): string {
  return members.map(({ id }) => id).join(', ');
}
