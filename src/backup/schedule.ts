/**
 * When backups are due, and who takes them. The rules:
 *
 * - What is due is the last time of the schedule that has passed. It is satisfied by any backup that began since. So a
 *   run that was missed, because everything was down, is made up once, and not as often as it was missed.
 * - A backup that is dated ahead of now satisfies nothing: a clock that jumped once must not end the schedule.
 * - Every agent knows this by the store alone. To take a backup an agent first puts a claim there, `ifAbsent`: an object
 *   named after the due time and the number of the try. Who loses that race takes no backup.
 * - An empty database is not backed up by itself: a deployment that lost everything would fill the store with nothing,
 *   and `latest` would be one of those. A new deployment gets its first backup once it holds keys; where the newest
 *   backup has keys, a person restores it, or says by `backup now` that the database is meant to be empty.
 * - Hosts try in an order that all of them work out alike: those with a linked replica first, as the spec has them, and
 *   each a while after the one before. So when all is well the first one does it, and when its host is gone, the next.
 * - A try that left no backup, because it failed or its host died, is followed by another, by whoever is first then, after
 *   a pause that doubles; on the host of one whose agent died, as soon as the next agent is up.
 */
import { Cron } from 'croner';
import type { Backup } from '../spec/spec.ts';
import { isAhead } from './dates.ts';

/** How much later each host in the order tries. */
export const rankPauseMs = 20_000;
const firstRetryMs = 5 * 60_000;
const longestRetryMs = 60 * 60_000;

type Times = Pick<Backup, 'schedule' | 'timezone'>;

/** The last time of the schedule at or before now, wall-clock ms; undefined when there was none. */
export function lastDueMs({ schedule, timezone }: Times, nowMs: number): number | undefined {
  const cron = new Cron(schedule, { timezone, paused: true });
  // Those that it names are before the reference, not at it.
  const [last, before] = cron.previousRuns(2, new Date(nowMs + 1000)).map((at) => at.getTime());
  return last !== undefined && last <= nowMs ? last : before;
}

export function nextDueMs({ schedule, timezone }: Times, nowMs: number): number | undefined {
  return new Cron(schedule, { timezone, paused: true }).nextRun(new Date(nowMs))?.getTime();
}

/** The hosts in the order in which they try. @param replicas hosts of linked replicas. */
export function hostOrder(hosts: readonly string[], replicas: ReadonlySet<string>): string[] {
  return [...hosts.filter((host) => replicas.has(host)), ...hosts.filter((host) => !replicas.has(host))];
}

/** How long after the nth try, counted from 1, the next may begin. */
export function retryPauseMs(tries: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** (tries - 1));
}

/**
 * From when on the next may try. A try that is dated ahead of now was made by a clock that has been set back since: how
 * long ago that is nobody knows, and waiting for it could take years.
 */
export function nextTryMs(last: { number: number; atMs: number }, nowMs: number): number {
  return isAhead(last.atMs, nowMs) ? nowMs : last.atMs + retryPauseMs(last.number);
}

const verifyEveryMs = { daily: 86_400_000, weekly: 7 * 86_400_000 };
/** A backup a day comes at the same hour, a little sooner or later. */
const slackMs = 3_600_000;

/**
 * Whether the newest backup is to be verified now. @param lastMs when one was verified last; undefined for never. When
 * that is dated ahead of now, it says nothing.
 */
export function isVerifyDue(verify: Backup['verify'], lastMs: number | undefined, nowMs: number): boolean {
  if (verify === 'never') return false;
  return lastMs === undefined || isAhead(lastMs, nowMs) || nowMs - lastMs >= verifyEveryMs[verify] - slackMs;
}
