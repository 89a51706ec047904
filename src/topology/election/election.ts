/**
 * An agent stands for election by the Sentinels' own protocol, and does what the elected Sentinel would do. The rules,
 * and where they come from (Redis's sentinel.c: sentinelVoteLeader, sentinelProcessHelloMessage):
 *
 * 1. Who may stand, and when: candidacy.ts.
 * 2. A vote is asked for with SENTINEL IS-MASTER-DOWN-BY-ADDR <ip> <port> <epoch> <run id>. A Sentinel votes once an
 *    epoch, for the first who asks, if it knows of no later epoch; it keeps its vote on disk. Then it begins no failover
 *    of its own of that primary for twice the failover-timeout. It answers whom it voted for, and in which epoch.
 * 3. The run id is one that nobody else has, made anew for each attempt; it says which agent's it is, so that the next one
 *    on that host knows that nothing can come of the vote any more (agent/election/run-ids.ts). Under a Sentinel's own id
 *    two could count the same votes. The epoch is one above the highest known of. All Sentinels are asked at once. It votes
 *    on the primary that it names itself: a question about another one is no question for its vote. So only those are asked
 *    that name the primary that is to be replaced, and who is elected replaces that one and no other.
 * 4. Elected is who has the votes of at least max(quorum, majority of all Sentinels) for its run id in its epoch. Every
 *    two majorities share a Sentinel, and it votes once, so there is one at most in an epoch.
 * 5. An answer of an earlier epoch comes from a Sentinel that knows of a later one than was asked for, and did not vote:
 *    the next attempt asks in a higher one, at once. Those that have not answered yet may never do so, and a vote in a
 *    higher epoch costs no more than one in this. Any other answer means that someone else is at it: look again.
 * 6. The elected chooses as Sentinel chooses (choice.ts) and acts in one turn (turn.ts). It acts only while its votes are
 *    fresh, no later epoch is known of, and those who voted for it still name the primary that it replaces: half a second
 *    after a vote that nothing came of, another one may stand.
 * 7. What is no answer to such a question (an error, a vote for us in an epoch that we did not ask for) comes from a
 *    Sentinel that does not speak the protocol. If the election needs its vote, the Sentinels are asked to fail over
 *    instead (SENTINEL FAILOVER).
 */

export interface Electorate {
  /** The ids of all Sentinels of the deployment, whether they can be reached or not. */
  sentinels: readonly string[];
  quorum: number;
}

/** What a Sentinel answered: the run id that it voted for last, and in which epoch. */
export interface Vote {
  votedFor: string;
  epoch: number;
}

/**
 * Silent is a Sentinel that can't be reached, strange one that answers otherwise, elsewhere one that names another
 * primary than the one that is to be replaced.
 */
export type NoVote = 'silent' | 'strange' | 'elsewhere';

export interface Election {
  /** 40 hexadecimal digits. */
  readonly runId: string;
  readonly epoch: number;
  readonly askedAtMs: number;
  readonly needed: number;
  /** By Sentinel: what it answered so far. */
  readonly answers: ReadonlyMap<string, Vote | NoVote>;
  /** The highest epoch that was heard of since. */
  readonly highestEpoch: number;
  readonly electorate: readonly string[];
}

export type Heard =
  | ({ kind: 'vote'; from: string } & Vote)
  | { kind: NoVote; from: string }
  /** A Sentinel made it known, by +new-epoch. */
  | { kind: 'epoch'; epoch: number };

export type Outcome =
  | 'open'
  | 'elected'
  /** Someone else has the votes, or too few can be reached: look again. */
  | 'not-elected'
  /** Not in this epoch, because some know of a later one: ask again in a higher one. */
  | 'behind'
  /** Not without Sentinels that do not speak the protocol. */
  | 'not-understood';

/** Where nobody votes (own-word.ts) none are: who is asked to by a person has the epoch. */
export function votesNeeded({ sentinels, quorum }: Electorate): number {
  if (sentinels.length === 0) return 0;
  return Math.max(quorum, Math.floor(sentinels.length / 2) + 1);
}

/**
 * The first of a row of attempts asks in the epoch after the highest known of. Who is told that there is a later one is
 * not told which: so each further attempt goes twice as far ahead.
 */
export function epochToAskIn(highestKnown: number, attempt: number): number {
  return highestKnown + 2 ** attempt;
}

export function beginElection(
  electorate: Electorate,
  { runId, epoch, nowMs }: { runId: string; epoch: number; nowMs: number },
): Election {
  return {
    runId,
    epoch,
    askedAtMs: nowMs,
    needed: votesNeeded(electorate),
    answers: new Map(),
    highestEpoch: epoch,
    electorate: electorate.sentinels,
  };
}

/** What was heard, taken into account. The first answer of each Sentinel counts; a vote can't be taken back. */
export function hear(election: Election, heard: Heard): Election {
  if (heard.kind === 'epoch') return seen(election, heard.epoch);
  const { from } = heard;
  if (election.answers.has(from) || !election.electorate.includes(from)) return election;
  if (heard.kind !== 'vote') return answered(election, from, heard.kind);
  const { votedFor, epoch } = heard;
  const strange = votedFor === election.runId && epoch !== election.epoch;
  return seen(answered(election, from, strange ? 'strange' : { votedFor, epoch }), epoch);
}

function answered(election: Election, from: string, answer: Vote | NoVote): Election {
  return { ...election, answers: new Map(election.answers).set(from, answer) };
}

function seen(election: Election, epoch: number): Election {
  return epoch > election.highestEpoch ? { ...election, highestEpoch: epoch } : election;
}

export function outcome(election: Election): Outcome {
  const answers = [...election.answers.values()];
  const isEarlier = (answer: Vote | string) => typeof answer === 'object' && answer.epoch < election.epoch;
  const ours = votersFor(election).length;
  if (ours >= election.needed) return 'elected';
  const unheard = election.electorate.length - answers.length;
  const earlier = answers.filter(isEarlier).length;
  if (earlier > 0 && ours + unheard + earlier >= election.needed) return 'behind';
  if (ours + unheard >= election.needed) return 'open';
  const strange = answers.filter((answer) => answer === 'strange').length;
  return strange > 0 && ours + unheard + strange >= election.needed ? 'not-understood' : 'not-elected';
}

/** Ids of the Sentinels that voted for it. */
export function votersFor({ answers, runId }: Election): string[] {
  const ours = (answer: Vote | NoVote) => typeof answer === 'object' && answer.votedFor === runId;
  return [...answers].filter(([, answer]) => ours(answer)).map(([from]) => from);
}

/** Whether some Sentinel voted for someone else in this epoch or a later one: someone else is at it. */
export function votedForAnother({ answers, runId, epoch }: Election): boolean {
  return [...answers.values()].some(
    (answer) => typeof answer === 'object' && answer.votedFor !== runId && answer.epoch >= epoch,
  );
}

/** A crash leaves nothing to do between the votes and the turn. */
export const actWithinMs = 400;
/**
 * After a vote that no change of primary followed within this time, whoever may stand does so. It is more than
 * `actWithinMs`, so that of two that are elected one after the other the first has acted or will not.
 */
export const voteIsStaleAfterMs = 500;

/**
 * Whether the elected may act now. To be asked in the very turn in which it acts.
 * @param withinMs since it asked. @param stillName the Sentinels that name the primary that is to be replaced
 */
export function mayAct(
  election: Election,
  nowMs: number,
  withinMs: number,
  stillName: ReadonlySet<string>,
): boolean {
  const fresh = nowMs - election.askedAtMs <= withinMs;
  const voters = votersFor(election).filter((from) => stillName.has(from));
  return fresh && voters.length >= election.needed && election.highestEpoch <= election.epoch;
}
