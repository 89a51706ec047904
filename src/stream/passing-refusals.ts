/**
 * What a server refuses for now, and may take later: by the first word of its error. The last of them are a gate's: it found no
 * primary in time, or the one that had the request was lost, so that nobody can tell whether it was executed. Whoever goes on
 * reads first what is there.
 * Source: shared error replies in server.c of Redis 6.2 to 8.6; docs/gate.md.
 */
import { refusalKind } from '../redis/errors.ts';

const passing = new Set([
  ...['LOADING', 'MASTERDOWN', 'READONLY', 'NOREPLICAS', 'BUSY', 'OOM', 'MISCONF', 'CLUSTERDOWN'],
  ...['TRYAGAIN', 'UNBLOCKED', 'NOPRIMARY', 'UNCERTAIN', 'EXECABORT'],
]);

/** @param kind the first word of an error reply */
export function passes(kind: string): boolean {
  return passing.has(kind);
}

/** Whether an error is about such a refusal. */
export function isPassingRefusal(error: unknown): boolean {
  const kind = refusalKind(error);
  return kind !== undefined && passes(kind);
}
