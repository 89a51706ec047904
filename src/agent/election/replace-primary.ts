/** Replaces a primary that is lost: stands for election, chooses, takes over. */
import { setTimeout as delay } from 'node:timers/promises';
import { dieIfSabotaged } from '../../base/sabotage.ts';
import { type Candidate, chooseReplica } from '../../topology/election/choice.ts';
import { actWithinMs, votedForAnother, voteIsStaleAfterMs } from '../../topology/election/election.ts';
import { isEligible } from '../../topology/eligibility.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { FailoverRefused } from '../errors.ts';
import { askSentinelInstead } from './ask-sentinel.ts';
import { type Ballot, stand } from './stand.ts';
import { takeOver } from './take-over.ts';

/** A replica that has not said by then what it has is not waited for. */
const candidatesWithinMs = 100;
/** Before this agent stands once more when too few Sentinels answered. */
const standAgainAfterMs = 100;

/**
 * @param lost the member that is to be replaced as primary. @param mayReturn whether it may be chosen itself
 * @returns the new primary; null when this agent was not elected. @throws FAILOVER_REFUSED, ELECTION_LAPSED
 */
export async function replacePrimary(
  deployment: Deployment,
  lost: string,
  mayReturn = false,
): Promise<string | null> {
  const { elections, events, spec } = deployment;
  const candidates = askCandidates(deployment, mayReturn ? null : lost);
  const { election, outcome } = await stand(deployment, lost);
  if (outcome === 'not-understood') {
    await askSentinelInstead(deployment);
    return null;
  }
  if (outcome !== 'elected') {
    const pauseMs = votedForAnother(election) ? voteIsStaleAfterMs : standAgainAfterMs;
    elections.standAgainIn(pauseMs);
    events.add('not-elected', spec.name, notElected({ election, outcome }));
    return null;
  }
  dieIfSabotaged('dies-elected');
  const chosen = chooseReplica(await candidates);
  if (!chosen) throw FailoverRefused('this agent was elected, and no replica is fit to take over any more');
  await takeOver(deployment, election, { lost, chosen: chosen.member, withinMs: actWithinMs });
  const { id } = chosen;
  events.add('promoted', id, `elected in epoch ${election.epoch}, this agent made ${id} primary`);
  // What they were seen to be is out of date now.
  const answering = deployment.members.filter(({ watch }) => watch.seen.reachable);
  await Promise.all(answering.map(({ watch }) => watch.look()));
  return id;
}

function notElected({ election, outcome }: Ballot): string {
  const votes = [...election.answers].map(([from, answer]) => {
    if (answer === 'elsewhere') return `${from} names another primary`;
    if (typeof answer === 'string') return `${from} ${answer}`;
    const whom = answer.votedFor === election.runId ? 'us' : 'another';
    return `${from} for ${whom} in epoch ${answer.epoch}`;
  });
  const why = outcome === 'behind' ? 'the Sentinels are in a later epoch' : 'too few votes';
  return `this agent was not elected in epoch ${election.epoch}: ${why} (${votes.join(', ')})`;
}

/** Asks all at once; one that is not heard in time counts as it was last seen, if it was seen at all. */
async function askCandidates(
  deployment: Deployment,
  from: string | null,
): Promise<(Candidate & { member: LiveMember })[]> {
  const others = deployment.members.filter(({ place }) => place.id !== from);
  const looks = others.filter(({ unit }) => unit?.process.running !== false).map(({ watch }) => watch.look());
  await Promise.race([Promise.all(looks), delay(candidatesWithinMs, undefined, { ref: false })]);
  const { members } = deployment.view();
  return others.flatMap((member) => {
    const seen = members.find(({ id }) => id === member.place.id);
    if (!seen) return [];
    const { id, priority, offset } = seen;
    return [{ id, fit: isEligible(seen), priority, offset, runId: member.watch.seen.runId, member }];
  });
}
