/**
 * The run ids under which an agent stands for election: 40 hexadecimal digits that nobody else has, made anew for each
 * attempt. The first half says which process of an agent it is, so that the next agent of the same host knows a vote that
 * was given to the one before it. That one is dead, for the next has its place (state/state-lock.ts): nothing can come of
 * its votes, and nobody need wait for it.
 */
import { createHash, randomBytes } from 'node:crypto';

/** Twenty hexadecimal digits each. */
export interface RunIdMarks {
  own: string;
  /** Of the agent that had this host before and did not give it back; null when there was none. */
  before: string | null;
}

/** @param own the record that this agent put into the state directory. @param before the one that lay there */
export function runIdMarks(host: string, own: string, before: string | undefined): RunIdMarks {
  const mark = (record: string) =>
    createHash('sha256').update(`${host} ${record}`).digest('hex').slice(0, 20);
  return { own: mark(own), before: before === undefined ? null : mark(before) };
}

export function newRunId({ own }: RunIdMarks): string {
  return own + randomBytes(10).toString('hex');
}

/** Whether an agent of this host stood under it: this one, or the one before it. */
export function isOfThisHost({ own, before }: RunIdMarks, runId: string): boolean {
  return runId.startsWith(own) || (before !== null && runId.startsWith(before));
}
