/**
 * Which replica is promoted: as Redis's sentinel.c chooses (compareSlavesForPromotion), but for who is selected and who
 * answers.
 */

export interface Candidate {
  id: string;
  /** It can take over: it answers, has loaded and once copied its data, and runs. */
  fit: boolean;
  /** Its replica-priority: the lowest is preferred, 0 is never promoted. */
  priority: number;
  /** Bytes of the replication stream that it has. */
  offset: number;
  /** A Sentinel that fails over by itself has selected it, and may still promote it: of two that have as much it is the one. */
  selected: boolean;
  /** It answered just now: of two that have as much, one that is silent is not chosen. */
  answered: boolean;
  runId: string;
}

/** The one to promote; undefined when none can be. */
export function chooseReplica<T extends Candidate>(candidates: readonly T[]): T | undefined {
  const eligible = candidates.filter(({ fit, priority }) => fit && priority > 0);
  return eligible.sort(byPreference)[0];
}

function byPreference(a: Candidate, b: Candidate): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.offset !== b.offset) return b.offset - a.offset;
  if (a.selected !== b.selected) return a.selected ? -1 : 1;
  if (a.answered !== b.answered) return a.answered ? -1 : 1;
  return a.runId < b.runId ? -1 : 1;
}
