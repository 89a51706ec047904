/**
 * What stands in the way of a planned change of primary, and whether that passes by waiting. Pure.
 *
 * It passes when time, a server or an agent ends it: a failover, a link that is missing, loading, a script, a restart that
 * is due. It does not when only a person does: a full disk, a priority of 0 that an operator set, restarts that are used
 * up, automation that is paused. Waiting for that would be in vain, so it is refused at once, with what there is to do.
 */
import { howToLetIn, memberCondition } from './condition.ts';
import { hasQuorum } from './election/candidacy.ts';
import { votesNeeded } from './election/election.ts';
import { hasVoters } from './own-word.ts';
import { storeTrouble, storeTroubles } from './store-trouble.ts';
import { type MemberView, namedPrimary, notCalm, type View } from './view.ts';

export interface Obstacle {
  /** A clause for each member that it is about. */
  text: string;
  /** What there is to do, in whole sentences. */
  hint: string;
  /** Whether it can end without a person. */
  passes: boolean;
}

/** The moment of a look, and when it was looked first; both on the clock of the view. */
export interface Moment {
  nowMs: number;
  sinceMs: number;
  /** How many Sentinels the spec wants to agree, at least. */
  quorum: number;
  /** The ids of replicas that have no link and could not log in at a primary, as far as they were asked. */
  cannotLogIn?: ReadonlySet<string>;
}

/**
 * A member of another host has a priority of 0 until its own agent has seen that it is in sync. When it is linked, that takes a
 * moment; after this long somebody wants it so.
 */
const eligibleWithinMs = 3000;

/**
 * @param to the member that is to become primary; null for whom the Sentinels would choose
 * @returns undefined when nothing stands in the way
 */
export function obstacleTo(view: View, to: string | null, moment: Moment): Obstacle | undefined {
  const named = namedPrimary(view)?.id;
  const reason = notCalm(view);
  if (reason !== undefined) return unrest(view, reason);
  const undecided = tooFewVoters(view, moment);
  if (undecided !== undefined && to !== named) return undecided;
  if (to === named) return undefined;
  const candidates = view.members.filter(({ id }) => (to === null ? id !== named : id === to));
  if (candidates.length === 0) {
    return lasting(`${named} is the only member`, 'Nobody else can be primary.');
  }
  const found = candidates.map((member) => hindrance(view, member, to, moment));
  if (found.every((each) => each !== undefined)) return together(found);
  const astray = view.sentinels.find(({ reachable, primary }) => reachable && primary !== named);
  return astray && passing(`${astray.id} still names ${astray.primary ?? 'someone else'} primary`);
}

/** Nobody would be elected, whom the change needs. */
function tooFewVoters(view: View, { quorum }: Moment): Obstacle | undefined {
  if (hasQuorum(view, { sentinel: { quorum } })) return undefined;
  const mute = view.sentinels.flatMap(({ id, reachable, tilt }) => {
    if (!reachable) return [`${id} does not answer`];
    return tilt ? [`${id} is in TILT`] : [];
  });
  const needed = votesNeeded({ sentinels: view.sentinels.map(({ id }) => id), quorum });
  const hint =
    'holdfast status shows the Sentinels. TILT ends 30 s after the machine and its clock are calm again.';
  return passing(
    `${needed} of ${view.sentinels.length} Sentinels have to vote for it, and ${mute.join(', ')}`,
    hint,
  );
}

/** Sentinels give up a primary that can't write; when nobody has room to take over, nobody ends that by waiting. */
function unrest(view: View, reason: string): Obstacle {
  const { members } = view;
  const full = storeTroubles(members);
  if (full === undefined) return passing(reason, hasVoters(view) ? statusHint : personHint);
  const passes = members.some((member) => storeTrouble(member) === undefined);
  return { text: `${full}; ${reason}`, hint: noRoomHint, passes };
}

/** Those whom nothing keeps from becoming primary. */
export function readyToTakeOver(view: View, moment: Moment): MemberView[] {
  const named = namedPrimary(view)?.id;
  return view.members.filter(
    (member) => member.id !== named && hindrance(view, member, null, moment) === undefined,
  );
}

/** One that passes is worth waiting for, whatever is the matter with the others. */
function together(all: readonly Obstacle[]): Obstacle {
  return {
    text: all.map(({ text }) => text).join('; '),
    hint: [...new Set(all.map(({ hint }) => hint))].join(' '),
    passes: all.some(({ passes }) => passes),
  };
}

function hindrance(
  view: View,
  member: MemberView,
  to: string | null,
  { nowMs, sinceMs, cannotLogIn }: Moment,
): Obstacle | undefined {
  const { id, process, role, locksOut, reachable } = member;
  const full = storeTrouble(member);
  if (full !== undefined) return lasting(full, noRoomHint);
  const { state, reason } = memberCondition(member, nowMs);
  const text = `${id} is ${state}${reason === null ? '' : `: ${reason}`}`;
  if (state === 'failed') return lasting(text, `holdfast restart ${id} tries once more.`);
  if (state === 'refused') return lasting(text, 'holdfast events says what can be done about it.');
  if (process && !process.running && view.paused)
    return lasting(`${text}, and automatic actions are paused`, `holdfast resume has it started again.`);
  if (reachable && locksOut !== null) return lasting(`${id} does not let this agent in`, `${howToLetIn}.`);
  if (cannotLogIn?.has(id))
    return lasting(`${id} has no link to its primary: ${cannotLogInReason}`, cannotLogInHint);
  if (state === 'busy') return passing(text, busyHint(id));
  if (state !== 'up') return passing(text);
  if (role !== 'replica') return passing(`${id} does not follow the primary`);
  return to === null ? ineligibility(member, nowMs - sinceMs) : undefined;
}

/** With `--to` a priority of 0 does not count: it is the operator's to name it. */
function ineligibility(
  { id, process, priority, heldBack }: MemberView,
  waitedMs: number,
): Obstacle | undefined {
  if (priority > 0) return undefined;
  if (process === null ? waitedMs < eligibleWithinMs : heldBack)
    return passing(`${id} may not be promoted yet: it has to be in sync first`);
  return lasting(
    `${id} has replica-priority 0`,
    `Somebody set that, so that it is never chosen: CONFIG SET replica-priority 100 at it takes it back, and --to ${id} makes it primary all the same.`,
  );
}

export const cannotLogInReason =
  "somebody changed its masteruser or masterauth, so that it can't log in there";
export const cannotLogInHint =
  'holdfast apply gives back what somebody changed there. Nothing was changed now.';

const noRoomHint =
  'Make room there. With a full disk a primary takes no writes, and no replica can follow it. Nothing was changed.';

function busyHint(id: string): string {
  return `A busy server can't be made primary: ask again when ${id} answers. SCRIPT KILL at it ends a script that has written nothing, CLIENT UNPAUSE a pause; without --to another member takes over.`;
}

const statusHint =
  'holdfast status and holdfast events show the state of each. A lost primary needs no switchover: it fails over by itself.';

const personHint =
  'holdfast status shows the state of each. When the one that leads is lost, holdfast failover has another one lead.';

function passing(text: string, hint = statusHint): Obstacle {
  return { text, hint, passes: true };
}

function lasting(text: string, hint: string): Obstacle {
  return { text, hint, passes: false };
}
