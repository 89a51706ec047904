/** Asks the Sentinels for their votes: topology/election/election.ts has the rules, this is the wire. */
import type { AlarmClock } from '../../base/clock.ts';
import { errorCode } from '../../base/errors.ts';
import { dieIfSabotaged } from '../../base/sabotage.ts';
import type { Caller } from '../../redis/connection.ts';
import { askForVote } from '../../redis/sentinel-election.ts';
import {
  beginElection,
  type Election,
  epochToAskIn,
  type Heard,
  hear,
  type Outcome,
  outcome,
} from '../../topology/election/election.ts';
import type { SentinelObservation } from '../observe/sentinel-observer.ts';
import type { ElectionWatch } from './election-watch.ts';

/** A vote that takes longer is none: it would not be fresh any more. */
const answerWithinMs = 300;
/** Each asks twice as far ahead as the one before. */
const attempts = 8;

export interface Ballot {
  election: Election;
  outcome: Exclude<Outcome, 'open'>;
}

/** Why no agent can be elected, however often it stands; null when one can. */
export function whyNever(outcome: Ballot['outcome']): string | null {
  if (outcome === 'not-understood') return 'the Sentinels do not answer as their protocol says';
  return outcome === 'behind' ? 'the Sentinels are in an epoch far above any that this agent knows of' : null;
}

/** A Sentinel that can be asked for its vote, and what was last seen of it. */
export interface Voter {
  readonly place: { id: string };
  readonly watch: {
    readonly seen: Pick<SentinelObservation, 'reachable' | 'tilt' | 'primary'>;
    readonly client: { readonly connection: Caller };
  };
}

/** What is needed to stand for election. */
export interface Electoral {
  readonly elections: Pick<ElectionWatch, 'highestEpoch' | 'newRunId' | 'noteEpoch' | 'onEpoch'>;
  readonly sentinels: readonly Voter[];
  readonly spec: { sentinel: { quorum: number } };
  readonly setting: { clock: AlarmClock };
  /** The member at an address, as a Sentinel names it. */
  memberAt(where: { address: string; port: number } | null): { place: { id: string } } | undefined;
}

/**
 * Stands for election, in higher epochs when the first are taken. Never throws: no answer is an outcome too. Where nobody votes
 * (topology/own-word.ts) it has the next epoch: who calls it was told to by a person, or by the spec.
 * @param lost the member that is to be replaced as primary, by its id
 */
export async function stand(deployment: Electoral, lost: string): Promise<Ballot> {
  let ballot = await standOnce(deployment, lost, 0);
  for (let attempt = 1; ballot.outcome === 'behind' && attempt < attempts; attempt++) {
    ballot = await standOnce(deployment, lost, attempt);
  }
  return ballot;
}

async function standOnce(deployment: Electoral, lost: string, attempt: number): Promise<Ballot> {
  const { elections, sentinels, spec, setting } = deployment;
  const electorate = { sentinels: sentinels.map(({ place }) => place.id), quorum: spec.sentinel.quorum };
  const epoch = epochToAskIn(elections.highestEpoch, attempt);
  const runId = elections.newRunId();
  let election = beginElection(electorate, { runId, epoch, nowMs: setting.clock.monotonicMs() });
  return new Promise((resolve) => {
    const settle = (heard: Heard) => {
      election = hear(election, heard);
      // Who voted in a later epoch is asked in one above it the next time.
      if (heard.kind === 'vote') elections.noteEpoch(heard.epoch);
      const found = outcome(election);
      if (found === 'open') return;
      cancel();
      stopListening();
      resolve({ election, outcome: found });
    };
    if (outcome(election) !== 'open') {
      resolve({ election, outcome: 'elected' });
      return;
    }
    const cancel = setting.clock.after(answerWithinMs, () => {
      for (const from of electorate.sentinels) settle({ kind: 'silent', from });
    });
    const stopListening = elections.onEpoch((heardOf) => settle({ kind: 'epoch', epoch: heardOf }));
    for (const sentinel of sentinels) {
      const asked = isNaming(deployment, lost)(sentinel) ? ask(sentinel, epoch, runId) : notAsked(sentinel);
      void asked.then(settle);
    }
    dieIfSabotaged('dies-asking');
  });
}

/** Whether a Sentinel names this member primary, as far as is known. */
export function isNaming(
  deployment: Pick<Electoral, 'memberAt'>,
  member: string,
): (sentinel: Voter) => boolean {
  return ({ watch }) => deployment.memberAt(watch.seen.primary)?.place.id === member;
}

/** It would vote on the primary that it names, and that one is not lost. */
async function notAsked({ place, watch }: Voter): Promise<Heard> {
  return { kind: watch.seen.reachable ? 'elsewhere' : 'silent', from: place.id };
}

async function ask({ place, watch }: Voter, epoch: number, runId: string): Promise<Heard> {
  const from = place.id;
  const { reachable, tilt, primary } = watch.seen;
  // One in TILT trusts no time, and its vote counts on what it does in time.
  if (!reachable || tilt || primary === null) return { kind: 'silent', from };
  try {
    return { kind: 'vote', from, ...(await askForVote(watch.client.connection, primary, epoch, runId)) };
  } catch (error) {
    return { kind: errorCode(error) === 'REDIS_REFUSED' ? 'strange' : 'silent', from };
  }
}
