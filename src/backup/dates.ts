/**
 * Backups are told apart by the clocks of those that took them, and clocks jump. One that is dated ahead of now is a
 * backup like any other, but its date says nothing: it is not the newest, stands in for none that is due, and takes
 * nobody's place.
 */
import { describeDuration } from '../base/duration.ts';

/** Clocks of hosts that work together may differ by this much, and nothing is made of it. */
export const clocksDifferMs = 5 * 60_000;

export function isAhead(atMs: number, nowMs: number): boolean {
  return atMs > nowMs + clocksDifferMs;
}

export function startedMs({ startedAt }: { startedAt: string }): number {
  return Date.parse(startedAt);
}

export interface Newest<T> {
  /** The newest whose date has passed; undefined when there is none. */
  newest: T | undefined;
  /** Those that are dated ahead of now. */
  ahead: T[];
}

export function newestOf<T extends { startedAt: string }>(backups: readonly T[], nowMs: number): Newest<T> {
  const oldestFirst = backups.toSorted((a, b) => startedMs(a) - startedMs(b));
  const newest = oldestFirst.findLast((backup) => !isAhead(startedMs(backup), nowMs));
  return { newest, ahead: oldestFirst.filter((backup) => isAhead(startedMs(backup), nowMs)) };
}

/** `redis_… is dated 3 days ahead of this machine's clock` */
export function describeAhead(backup: { id: string; startedAt: string }, nowMs: number): string {
  return `${backup.id} is dated ${describeDuration(startedMs(backup) - nowMs)} ahead of this machine's clock`;
}
