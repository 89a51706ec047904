/**
 * Who may stand for election, and when. An agent stands for one of these causes:
 *
 * - `process-gone`: the primary was a process of its own, and is gone. It knows at once, and nobody else does.
 * - `agreed-down`: a Sentinel says that a majority agrees that the primary is down (+odown), and it does not answer this
 *   agent either; or for `detectAfter` a primary of another host has answered neither this agent nor as many Sentinels as
 *   an election needs. A Sentinel pings once a second and counts from the first PING without an answer, so it says the
 *   same up to a second later, and begins in the same moment.
 * - `vote-unused`: a Sentinel voted half a second ago, nothing came of it, and the primary is certainly gone: its host
 *   refuses connections there. Whoever was elected died; nothing has changed yet.
 * - `not-acting`: the Sentinels name a member that acts as the replica of another one. Whoever was elected told the
 *   Sentinels, and died or gave up when its connection to that member broke. Or somebody has made another one primary by
 *   hand: when the one that it follows acts as primary, for half a second at least, that one is elected. If the Sentinels do not
 *   take that up (they don't hear this agent's hello, or don't believe it), it is tried again after pauses that grow, and
 *   then no more: each vote keeps the Sentinels from a failover of their own for twice failover-timeout.
 * - `started-again`: nobody votes, and with `ack: all` our own lead was started again, so that its files may lack what it had
 *   answered, while another one lives that has all of that.
 * - `silent`: nobody votes, the spec has `onSplit: serve`, and for `detectAfter` a primary of another host has not answered
 *   this agent. Nobody elects it: on a split both sides have one that leads.
 *
 * In every case: nothing is paused or under way; a majority, and the quorum, of Sentinels answers and is not in TILT;
 * none of them is in a failover of which something may still come (selection.ts); nobody is promoted yet; nobody else was voted
 * for within the last half second; and at least one replica is fit, and with `replicated` surely has all that was acknowledged,
 * and did not lately refuse to be made primary. The owner of a lost process stands at once. The others stand one after the
 * other, in the order of their hosts in the spec, so that they don't split the votes.
 */
import { type EligibilityRules, heirs, willing } from '../eligibility.ts';
import { hasVoters, ledBefore } from '../own-word.ts';
import { type MemberView, namedPrimary, type SentinelView, type View } from '../view.ts';
import { voteIsStaleAfterMs, votesNeeded } from './election.ts';
import { isSelectionSpent } from './selection.ts';

export type Cause =
  | 'process-gone'
  | 'started-again'
  | 'agreed-down'
  | 'silent'
  | 'vote-unused'
  | 'not-acting';

export interface Candidacy {
  /** The primary that the Sentinels name. */
  primary: MemberView;
  cause: Cause;
  fit: readonly MemberView[];
  /** When this agent may stand, on its monotonic clock; may be past. */
  fromMs: number;
}

export interface CandidacyRules extends EligibilityRules {
  sentinel: { quorum: number; detectAfterMs: number };
  /** The place of this agent's host in the spec, from 0. */
  rank: number;
}

/** Time that the agent of the host before needs to be elected. */
const turnOfEachMs = 40;
/** Where nobody votes the next must have seen what the one before did: members are looked at every second. */
const turnWithoutVotesMs = 2000;
/** As long as the news of a promotion may be on its way to who observes. */
const actsWithinMs = 500;
/** Until the same one is elected once more when the Sentinels do not take it up; each time twice as long. */
const elevateAgainMs = 5000;
const elevatesAtMost = 4;

/** Undefined when there is no reason to stand, or something speaks against it. */
export function candidacy(view: View, rules: CandidacyRules, nowMs: number): Candidacy | undefined {
  const named = namedPrimary(view)?.id;
  const primary = view.members.find(({ id }) => id === named);
  if (!primary || isUnderWay(view, primary, nowMs) || !isReplacedByItself(view, primary, rules))
    return undefined;
  const instead = actsInstead(view, primary);
  if (instead === undefined && actsBeside(view, primary)) return undefined;
  const fit = instead ? willing(view, [instead]) : heirs(view, rules, nowMs);
  const reason = causeNow(view, primary, rules, nowMs);
  if (fit.length === 0 || !reason) return undefined;
  const { cause, sinceMs } = reason;
  const turnMs = hasVoters(view) ? turnOfEachMs : turnWithoutVotesMs;
  const isOwn = cause === 'process-gone' || cause === 'started-again';
  const inTurnMs = sinceMs + (isOwn ? 0 : rules.rank * turnMs);
  const fromMs = Math.max(
    inTurnMs,
    afterTheVote(view),
    view.standAgainAtMs ?? 0,
    inVainUntilMs(view, instead),
  );
  return { primary, cause, fit, fromMs };
}

/** A vote for someone else holds everyone back, until it has gone stale. */
function afterTheVote({ vote }: View): number {
  return vote === null || vote.ours ? 0 : vote.atMs + voteIsStaleAfterMs;
}

/** When this agent elects the one that acts as primary once more, if it did so before and it was not taken up; 0 if not. */
export function inVainUntilMs({ promoted }: View, acting: MemberView | undefined): number {
  if (promoted === null || promoted.member !== acting?.id) return 0;
  const { atMs, times } = promoted;
  return times < elevatesAtMost ? atMs + elevateAgainMs * 2 ** (times - 1) : Number.POSITIVE_INFINITY;
}

function causeNow(
  view: View,
  primary: MemberView,
  rules: CandidacyRules,
  nowMs: number,
): { cause: Cause; sinceMs: number } | undefined {
  if (primary.process !== null && hasDied(primary.process)) {
    return { cause: 'process-gone', sinceMs: primary.process.diedAtMs ?? nowMs };
  }
  if (wasStartedAgain(view, primary)) return { cause: 'started-again', sinceMs: nowMs };
  const answers = primary.reachable && !primary.busy;
  const downs = view.sentinels.filter(mayVote).flatMap(({ agreedDownAtMs }) => agreedDownAtMs ?? []);
  if (!answers && downs.length > 0) return { cause: 'agreed-down', sinceMs: Math.min(...downs) };
  if (!answers && isSilentToAll(view, primary, rules)) {
    const cause = hasVoters(view) ? 'agreed-down' : 'silent';
    return { cause, sinceMs: nowMs - primary.unansweredMs + rules.sentinel.detectAfterMs };
  }
  if (view.vote !== null && primary.refuses) {
    return { cause: 'vote-unused', sinceMs: view.vote.atMs + voteIsStaleAfterMs };
  }
  const instead = actsInstead(view, primary);
  if (instead) {
    // One that this agent made primary counts as the acting one, named or not.
    const promotedAtMs = view.promoted?.member === instead.id ? view.promoted.atMs : nowMs;
    const notActingSinceMs = Math.max(view.namedSinceMs ?? nowMs, view.noPrimarySinceMs ?? promotedAtMs);
    return { cause: 'not-acting', sinceMs: notActingSinceMs + actsWithinMs };
  }
  const sinceMs = (view.namedSinceMs ?? nowMs) + actsWithinMs;
  return answers && primary.seenAtMs >= sinceMs && followsAMember(view, primary)
    ? { cause: 'not-acting', sinceMs }
    : undefined;
}

/** Of a member of this host its agent knows more: whether its process lives, and what it does. */
function isSilentToAll(view: View, primary: MemberView, { sentinel }: CandidacyRules): boolean {
  const { detectAfterMs } = sentinel;
  if (primary.process !== null || primary.silentMs === 0 || primary.unansweredMs < detectAfterMs)
    return false;
  const agree = view.sentinels.filter(
    (each) => mayVote(each) && each.primary === primary.id && each.primarySilentMs >= detectAfterMs,
  );
  return areEnough(agree, view, sentinel);
}

/** A primary that takes the data of a restore follows nobody of the deployment. */
function followsAMember(view: View, primary: MemberView): boolean {
  return view.members.some((each) => followsThat(primary, each));
}

function followsThat({ role, follows }: MemberView, { address, port }: MemberView): boolean {
  return role === 'replica' && address === follows?.address && port === follows.port;
}

/** The member that acts as primary and that the named one, which answers, follows. */
export function actsInstead(view: View, primary: MemberView): MemberView | undefined {
  if (!primary.reachable || primary.busy) return undefined;
  return view.members.find((each) => each.reachable && each.role === 'primary' && followsThat(primary, each));
}

/**
 * Whether someone is about to take over from the primary. A selection counts also when it is older than the death: of
 * a primary that hangs the Sentinels may be rid before we kill it.
 */
export function isUnderWay(view: View, primary: MemberView, nowMs: number): boolean {
  if (isSelectionSpent(view, nowMs)) return false;
  const selected = view.selection !== null && view.selection.member !== primary.id;
  return (
    selected || view.sentinels.some(({ reachable, failoverInProgress }) => reachable && failoverInProgress)
  );
}

/** Another member that acts as primary: promoted, most likely, though the Sentinels don't say so yet. */
export function actsBeside(view: View, primary: MemberView): MemberView | undefined {
  return view.members.find(({ id, reachable, role }) => id !== primary.id && reachable && role === 'primary');
}

/**
 * Whether a lost primary is replaced without a person: by votes, or, where nobody votes,
 *
 * - when the spec would rather have two that serve than none (`onSplit: serve`);
 * - with `ack: all` by the agent of its own host, when its process is gone, or was started again: that one has nobody to agree
 *   with, it alone starts it, and what was acknowledged the others have. Of the dead one's files nobody knows that: Redis answers a
 *   write up to two seconds before it is in its AOF, when the disk is slow, a power cut takes what the AOF has of the last second, and
 *   an RDB is older still. It must have heard it since it began: a lead that was told to lead alone has more than they, and says so.
 */
export function isReplacedByItself(view: View, primary: MemberView, rules: CandidacyRules): boolean {
  if (hasVoters(view)) return hasQuorum(view, rules);
  const { ack, onSplit } = rules.mirror ?? {};
  if (onSplit === 'serve') return true;
  const { process, heard } = primary;
  if (ack !== 'all' || !heard || process === null) return false;
  return hasDied(process) || wasStartedAgain(view, primary);
}

/** Where nobody votes: a lead of this host, which nobody has told since that it leads on. */
function wasStartedAgain(view: View, primary: MemberView): boolean {
  const { process, reachable, busy, role } = primary;
  if (hasVoters(view) || !process?.running || !reachable || busy || role !== 'primary') return false;
  return ledBefore(primary);
}

/** An election needs the quorum that the spec says and a majority, as SENTINEL CKQUORUM counts; none may be in TILT. */
export function hasQuorum(view: View, { sentinel }: { sentinel: { quorum: number } }): boolean {
  return areEnough(view.sentinels.filter(mayVote), view, sentinel);
}

function mayVote({ reachable, tilt }: SentinelView): boolean {
  return reachable && !tilt;
}

function areEnough(some: readonly SentinelView[], view: View, { quorum }: { quorum: number }): boolean {
  const sentinels = view.sentinels.map(({ id }) => id);
  return some.length >= votesNeeded({ sentinels, quorum });
}

function hasDied({ running, diedAtMs }: NonNullable<MemberView['process']>): boolean {
  return !running && diedAtMs !== null;
}

/** With the id of the primary, as the beginning of a sentence. */
export function causeInWords(primary: string, cause: Cause): string {
  switch (cause) {
    case 'process-gone':
      return `the process of the primary ${primary} is gone`;
    case 'started-again':
      return `the primary ${primary} was started again, and its files may lack what it had answered`;
    case 'agreed-down':
      return `the Sentinels agree that the primary ${primary} is down`;
    case 'silent':
      return `the primary ${primary} has not answered this agent for detectAfter`;
    case 'vote-unused':
      return `a vote to replace the primary ${primary} was not used, it is gone`;
    case 'not-acting':
      return `the Sentinels name ${primary} primary, it acts as a replica`;
  }
}
