import { Cron } from 'croner';
import type { Backup } from './spec.ts';

/** More than a year of daily runs: the end of summer time is among them. */
const runsLookedAt = 400;
/** A fixed day, so that the answer depends on the schedule alone. It is followed by a leap day. */
const fromMs = Date.UTC(2024, 0, 1);

/** The longest time between two runs of the schedule, in ms: weekends and short months included. */
export function longestBackupGapMs({ schedule, timezone }: Pick<Backup, 'schedule' | 'timezone'>): number {
  const runs = new Cron(schedule, { timezone, paused: true }).nextRuns(runsLookedAt, new Date(fromMs));
  return Math.max(0, ...runs.slice(1).map((run, index) => run.getTime() - (runs[index] as Date).getTime()));
}

/** A backup older than this means that at least one run did not work: the longest gap, a quarter more, and an hour. */
export function oldestGoodBackupMs(backup: Pick<Backup, 'schedule' | 'timezone'>): number {
  return longestBackupGapMs(backup) * 1.25 + 3_600_000;
}
