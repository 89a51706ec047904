/** Replaces a primary that is lost: stands for election, chooses, takes over. */
import { enough } from '../../base/enough.ts';
import { errorCode, errorText } from '../../base/errors.ts';
import { within } from '../../base/retry.ts';
import { dieIfSabotaged } from '../../base/sabotage.ts';
import { actsInstead } from '../../topology/election/candidacy.ts';
import { type Candidate, chooseReplica } from '../../topology/election/choice.ts';
import {
  actWithinMs,
  votedForAnother,
  voteIsStaleAfterMs,
  votersFor,
} from '../../topology/election/election.ts';
import { heirs, isEligible, isFencedBefore, willing } from '../../topology/eligibility.ts';
import { keepsInSync } from '../../topology/in-sync-set.ts';
import { hasVoters } from '../../topology/own-word.ts';
import { FailoverRefused } from '../errors.ts';
import type { MemberObservation, MemberWatch } from '../observe/member-watch.ts';
import type { SentinelWatch } from '../observe/sentinel-observer.ts';
import type { EventLog } from '../state/event-log.ts';
import { type Asked, askSentinelInstead } from './ask-sentinel.ts';
import { notElected } from './not-elected.ts';
import { type Ballot, stand, whyNever } from './stand.ts';
import { type Realm, type Server, takeOver } from './take-over.ts';

/** A replica that has not said by then what it has is not waited for, where replicas need not have all. */
const candidatesWithinMs = 100;
/** With durability `replicated`, counted from the loss: one that says nothing for so long hangs. */
const replicatedWithinMs = 1500;
/** Of the time in which votes are to be used, what the promotion itself may take. */
const promotesWithinMs = 150;
/** Between two questions to a replica that still reads what its primary sent before it died. */
const readsOnMs = 2;
/**
 * Everybody is busy with the writes that waited, and the replicas with following: what there is to do besides, as the lost
 * process's new start, takes no processor from them for so long.
 */
const settlesMs = 20;
/** Before this agent stands once more when too few Sentinels answered. */
const standAgainAfterMs = 100;

/** A member that may be chosen. */
interface Replica extends Server {
  readonly watch: Server['watch'] &
    Pick<MemberWatch, 'look'> & { seen: Pick<MemberObservation, 'reachable' | 'role' | 'runId' | 'linkUp'> };
}

interface Choice extends Candidate {
  member: Replica;
}

/** What is needed to replace a primary. */
export interface Replaceable extends Realm, Asked {
  readonly spec: Realm['spec'] & { gate: { durability: 'async' | 'replicated' } };
  readonly elections: Realm['elections'] & Asked['elections'];
  readonly sentinels: readonly (Realm['sentinels'][number] &
    Asked['sentinels'][number] & { readonly watch: Pick<SentinelWatch, 'look'> })[];
  readonly members: readonly Replica[];
  readonly events: Pick<EventLog, 'add'>;
}

export type Replaced =
  | { kind: 'promoted'; member: string }
  /** This agent can't be elected; a Sentinel was asked to fail over, and goes on by itself. */
  | { kind: 'asked' }
  /** @param why who voted how, as a sentence. @param againInMs when it makes sense to stand again */
  | { kind: 'not-elected'; why: string; againInMs: number };

export interface Wishes {
  /** The one that is to be replaced may be chosen itself. */
  mayReturn?: boolean;
  /** Somebody asked for it: when nobody surely has all that was acknowledged, one takes over that can. */
  isAskedFor?: boolean;
  /** By whom it is to be replaced, if somebody said; where nobody votes it may be the lost one itself. */
  to?: string | null;
}

/**
 * @param lost the member that is to be replaced as primary
 * @throws FAILOVER_REFUSED, ELECTION_LAPSED
 */
export async function replacePrimary(
  deployment: Replaceable,
  lost: string,
  { mayReturn = false, isAskedFor = false, to = null }: Wishes = {},
): Promise<Replaced> {
  const { elections, events, spec } = deployment;
  const isGone = deployment.members.some(
    ({ place, unit }) => place.id === lost && unit?.process.running === false,
  );
  const waitMs = patience(deployment, lost);
  const candidates = askCandidates(deployment, mayReturn ? null : lost, { isGone, waitMs, isAskedFor });
  const { election, outcome } = await stand(deployment, lost);
  const never = whyNever(outcome);
  if (never !== null) {
    await askSentinelInstead(deployment, never);
    return { kind: 'asked' };
  }
  const inVain = (why: string, againInMs: number): Replaced => {
    elections.standAgainIn(againInMs);
    events.add('not-elected', spec.name, why);
    return { kind: 'not-elected', why, againInMs };
  };
  if (outcome !== 'elected')
    return inVain(notElected(election), votedForAnother(election) ? voteIsStaleAfterMs : standAgainAfterMs);
  dieIfSabotaged('dies-elected');
  const acting =
    to === null ? actingInstead(deployment, lost) : to === lost ? asChoice(deployment, to) : undefined;
  const able = acting ? [acting] : await stillFit(deployment, election, await candidates, isAskedFor);
  if (able === null) {
    const why = `this agent was elected in epoch ${election.epoch}, and too few of those that voted said in time in which epoch they are`;
    return inVain(why, standAgainAfterMs);
  }
  const fit = able.filter((each) => to === null || each.id === to);
  const id = await takeOverWithAny(deployment, election, lost, fit);
  // The gates hear of it first: what is written down here waits for a disk.
  await new Promise((resolve) => setImmediate(resolve));
  tell(deployment, id, lost, election.epoch);
  await new Promise<void>((resolve) => deployment.setting.clock.after(settlesMs, resolve));
  // What they were seen to be is out of date now. Whoever hangs is not waited for: there is more to do.
  const looks = deployment.members
    .filter(({ watch }) => watch.seen.reachable)
    .map(({ watch }) => watch.look());
  await within(deployment.setting.clock, candidatesWithinMs, Promise.all(looks));
  return { kind: 'promoted', member: id };
}

/** Without Sentinels nobody was elected, and one that leads on alone is no other than before. */
function tell(deployment: Replaceable, id: string, lost: string, epoch: number): void {
  const isByVotes = hasVoters(deployment);
  if (id === lost && !isByVotes) return;
  const how = `${isByVotes ? 'elected ' : ''}in epoch ${epoch}, this agent made ${id} primary`;
  deployment.events.add('promoted', id, how);
}

/**
 * Of standalone members who may lead depends on the Sentinels' epoch (topology/in-sync-record.ts): those that voted are
 * asked for it behind their votes. @returns null when too few said it in time: the next votes may be answered sooner
 */
async function stillFit(
  deployment: Replaceable,
  election: Ballot['election'],
  candidates: readonly Choice[],
  isAskedFor: boolean,
): Promise<readonly Choice[] | null> {
  if (!keepsInSync(deployment.spec)) return candidates;
  const { clock } = deployment.setting;
  const fencedIn = isFencedBefore(deployment.spec) ? election.epoch : null;
  const leftMs = election.askedAtMs + actWithinMs - promotesWithinMs - clock.monotonicMs();
  const waitMs = Math.max(candidatesWithinMs, leftMs);
  const said = new Set<string>();
  await Promise.all([
    within(clock, waitMs, enoughSay(deployment, election, said)),
    fencedIn !== null && fence(deployment, candidates, fencedIn, waitMs),
  ]);
  if (said.size < election.needed) return null;
  const view = deployment.view();
  const sure = heirs(view, deployment.spec, clock.monotonicMs(), fencedIn);
  const still = candidates.map((each) => ({
    ...each,
    fit: each.fit && sure.some(({ id }) => id === each.id),
    offset: view.members.find(({ id }) => id === each.id)?.offset ?? each.offset,
  }));
  return isAskedFor && sure.length === 0 ? candidates : still;
}

/** Asks those that voted what they know. @param said those that have answered. @returns when as many have as votes were needed */
async function enoughSay(
  { sentinels }: Replaceable,
  election: Ballot['election'],
  said: Set<string>,
): Promise<void> {
  const voters = sentinels.filter(({ place }) => votersFor(election).includes(place.id));
  const looks = voters.map(async ({ place, watch }) => {
    await watch.look();
    if (watch.seen.reachable) said.add(place.id);
    return watch.seen.reachable;
  });
  await enough(looks, election.needed);
}

/**
 * What the lost one does yet reaches nobody who is asked from here on: who leads next is chosen by what they have, and a write
 * that one of them got behind that would count for an acknowledgement. One that can't be told in time does not count.
 */
async function fence(
  { setting: { clock } }: Replaceable,
  candidates: readonly Choice[],
  epoch: number,
  waitMs: number,
): Promise<void> {
  const told = candidates
    .filter(({ answered }) => answered)
    .map(async ({ member: { watch } }) => {
      await watch.client.fence(epoch);
      await watch.look();
    });
  await within(clock, waitMs, Promise.allSettled(told));
}

/** One that refuses has told nobody: the votes are as good for the next. @returns who is primary now */
async function takeOverWithAny(
  deployment: Replaceable,
  election: Ballot['election'],
  lost: string,
  candidates: readonly Choice[],
): Promise<string> {
  const chosen = chooseReplica(candidates);
  if (!chosen) throw FailoverRefused('this agent was elected, and no replica is fit to take over any more');
  const { id, member } = chosen;
  try {
    await takeOver(deployment, election, { lost, chosen: member, withinMs: actWithinMs });
    return id;
  } catch (error) {
    const others = candidates.filter((each) => each !== chosen);
    if (!/^PROMOTION_/.test(errorCode(error) ?? '')) throw error;
    deployment.events.add('promotion-refused', id, errorText(error));
    if (
      !deployment.view().unwilling.some((each) => each.member === id) ||
      chooseReplica(others) === undefined
    )
      throw error;
    return takeOverWithAny(deployment, election, lost, others);
  }
}

/** Somebody made it primary by hand, and the lost one follows it. */
function actingInstead(deployment: Replaceable, lost: string): Choice | undefined {
  const view = deployment.view();
  const primary = view.members.find(({ id }) => id === lost);
  const id = primary && actsInstead(view, primary)?.id;
  return id === undefined ? undefined : asChoice(deployment, id);
}

/** Whoever it is, it is fit. */
function asChoice(deployment: Replaceable, id: string): Choice | undefined {
  const member = deployment.members.find(({ place }) => place.id === id);
  if (member === undefined) return undefined;
  return { id, fit: true, priority: 1, offset: 0, selected: false, answered: true, runId: '', member };
}

/**
 * How long a replica is waited for that could be promoted and has not said yet what it has. With durability `replicated`
 * whoever is fit has all that was acknowledged, as far as is known: of a replica that this agent has not watched since it got its
 * priority that is taken on trust. So the one that has more is worth some time. The votes may be too old by then; they are asked
 * for again, and nobody is waited for any more once the primary has been gone for long.
 */
function patience(deployment: Replaceable, lost: string): number {
  if (deployment.spec.gate.durability !== 'replicated') return candidatesWithinMs;
  const { members, noPrimarySinceMs } = deployment.view();
  const sinceMs = members.find(({ id }) => id === lost)?.process?.diedAtMs ?? noPrimarySinceMs;
  const goneForMs = sinceMs === null ? 0 : deployment.setting.clock.monotonicMs() - sinceMs;
  return Math.max(candidatesWithinMs, replicatedWithinMs - goneForMs);
}

/**
 * Asks all at once; one that is not heard in time counts as it was last seen, if it was seen at all. Whoever is no candidate,
 * or answered nobody already before, is not waited for any longer than usual.
 *
 * A primary whose process is gone has closed its connections, and a replica that sees the end of its link has read all that
 * was sent to it. One whose link is still up has not: promoted then, it would throw away what lies in its socket.
 */
async function askCandidates(
  deployment: Replaceable,
  from: string | null,
  { isGone, waitMs, isAskedFor }: { isGone: boolean; waitMs: number; isAskedFor: boolean },
): Promise<Choice[]> {
  const others = deployment.members.filter(({ place }) => place.id !== from);
  const { clock } = deployment.setting;
  let late = false;
  const answered = new Set<string>();
  const hear = async ({ place, watch }: Replica) => {
    await watch.look();
    if (watch.seen.reachable && !late) answered.add(place.id);
    const readsOn = ({ reachable, role, linkUp }: Replica['watch']['seen']) =>
      reachable && role === 'replica' && linkUp;
    while (isGone && readsOn(watch.seen) && !late) {
      await new Promise<void>((resolve) => clock.after(readsOnMs, resolve));
      await watch.look();
    }
  };
  const asked = others.filter(({ unit }) => unit?.process.running !== false);
  const eligible = new Set(
    deployment
      .view()
      .members.filter(isEligible)
      .map(({ id }) => id),
  );
  const looks = asked.map((each) => ({ id: each.place.id, over: hear(each) }));
  const overFor = (who: typeof looks) => Promise.all(who.map(({ over }) => over));
  await within(clock, candidatesWithinMs, overFor(looks));
  if (waitMs > candidatesWithinMs)
    await within(clock, waitMs - candidatesWithinMs, overFor(looks.filter(({ id }) => eligible.has(id))));
  late = true;
  const view = deployment.view();
  const { members, selection } = view;
  const sure = heirs(view, deployment.spec, clock.monotonicMs()).filter(({ id }) => id !== from);
  const fit = isAskedFor && sure.length === 0 ? willing(view, members.filter(isEligible)) : sure;
  return others.flatMap((member) => {
    const seen = members.find(({ id }) => id === member.place.id);
    if (!seen) return [];
    const { id, priority, offset } = seen;
    const { runId } = member.watch.seen;
    const selected = id === selection?.member;
    return [
      {
        id,
        fit: fit.some((each) => each.id === id),
        priority,
        offset,
        selected,
        answered: answered.has(id),
        runId,
        member,
      },
    ];
  });
}
