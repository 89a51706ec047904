import type { Keep } from '../spec/spec.ts';
import { isAhead, startedMs } from './dates.ts';
import type { Manifest } from './manifest.ts';

/** What of the backups stays and what goes, each with the reason, oldest first. */
export interface PrunePlan {
  keep: { backup: Manifest; why: string }[];
  remove: { backup: Manifest; why: string }[];
}

type Period = 'hourly' | 'daily' | 'weekly' | 'monthly';

/**
 * `daily: 7` keeps the last backup of each of the seven newest days that have one: a week without backups costs no
 * old ones. Days are the calendar's in the schedule's time zone, weeks begin on Monday. `maxAgeMs` keeps everything
 * younger than that. What any rule keeps stays, and the newest always does.
 *
 * What a restore took first, to be safe, is counted apart: it may hold the very data that was to be got rid of, and
 * must not take the place of that day's good one. Those that failed their verification stay and count for nothing; so
 * do those dated ahead of now, whose place in time nobody knows.
 *
 * @param suspect ids of backups that are not known to be good, and why; a person is to look at them.
 */
export function planPrune(
  backups: readonly Manifest[],
  keep: Keep,
  nowMs: number,
  timezone = 'UTC',
  suspect: ReadonlyMap<string, string> = new Map(),
): PrunePlan {
  const uncounted = new Map(
    backups.flatMap((backup) => {
      const ahead = isAhead(startedMs(backup), nowMs)
        ? 'it is dated ahead of now, and takes nobody’s place'
        : undefined;
      const reason = suspect.get(backup.id) ?? ahead;
      return reason === undefined ? [] : [[backup, reason] as const];
    }),
  );
  const good = backups.filter((backup) => !uncounted.has(backup));
  const kinds = [true, false].map((isSafety) =>
    good.filter(({ reason }) => (reason === 'before-restore') === isSafety),
  );
  const why = new Map(kinds.flatMap((kind) => [...reasonsToKeep(kind, keep, nowMs, timezone)]));
  const plan: PrunePlan = { keep: [], remove: [] };
  for (const backup of backups.toSorted((a, b) => startedMs(a) - startedMs(b))) {
    const reason = uncounted.get(backup) ?? why.get(backup);
    if (reason === undefined) plan.remove.push({ backup, why: 'no rule of backup.keep keeps it' });
    else plan.keep.push({ backup, why: reason });
  }
  return plan;
}

function reasonsToKeep(
  backups: readonly Manifest[],
  keep: Keep,
  nowMs: number,
  timezone: string,
): Map<Manifest, string> {
  const newestFirst = backups.toSorted((a, b) => startedMs(b) - startedMs(a));
  const why = new Map<Manifest, string>();
  const note = (backup: Manifest, reason: string) => {
    if (!why.has(backup)) why.set(backup, reason);
  };
  const [newest] = newestFirst;
  if (newest) {
    const kind = newest.reason === 'before-restore' ? ' of those before a restore' : '';
    note(newest, `the newest${kind} always stays`);
  }
  for (const period of ['hourly', 'daily', 'weekly', 'monthly'] as const) {
    if (keep[period] === 0) continue;
    const name = periodNamer(period, timezone);
    const taken = new Set<string>();
    for (const backup of newestFirst) {
      if (taken.size === keep[period]) break;
      const label = name(startedMs(backup));
      if (taken.has(label)) continue;
      taken.add(label);
      note(backup, `${period} ${taken.size} of ${keep[period]}`);
    }
  }
  const { maxAgeMs } = keep;
  if (maxAgeMs !== null) {
    for (const backup of newestFirst) {
      if (nowMs - startedMs(backup) < maxAgeMs) note(backup, 'younger than maxAge');
    }
  }
  return why;
}

/** Gives times in the same hour, day, week or month the same name. */
function periodNamer(period: Period, timezone: string): (ms: number) => string {
  // Hours need no calendar; the hour that comes twice in autumn is two.
  if (period === 'hourly') return (ms) => String(Math.floor(ms / 3_600_000));
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const day = (ms: number) => parts.format(ms);
  switch (period) {
    case 'daily':
      return day;
    case 'weekly':
      return (ms) => {
        const days = Date.parse(`${day(ms)}T00:00:00Z`) / 86_400_000;
        // 1970 began on a Thursday.
        return String(Math.floor((days + 3) / 7));
      };
    case 'monthly':
      return (ms) => day(ms).slice(0, 7);
  }
}
