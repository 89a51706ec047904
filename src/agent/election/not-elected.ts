import type { Election } from '../../topology/election/election.ts';
import { noVote } from './election-watch.ts';

/** Who voted how in an election that was not won, as a sentence. */
export function notElected(election: Election): string {
  const votes = [...election.answers].map(([from, answer]) => {
    if (answer === 'elsewhere') return `${from} names another primary`;
    if (typeof answer === 'string') return `${from} ${answer}`;
    // One that does not watch the primary, or has never voted, answers so.
    if (answer.votedFor === noVote) return `${from} for nobody`;
    // It was asked in a later epoch than that, and did not vote in it.
    if (answer.epoch < election.epoch) return `${from} for nobody since epoch ${answer.epoch}`;
    const whom = answer.votedFor === election.runId ? 'us' : 'another';
    return `${from} for ${whom} in epoch ${answer.epoch}`;
  });
  return `this agent was not elected in epoch ${election.epoch}: too few votes (${votes.join(', ')})`;
}
