import { Cron } from 'croner';
import { errorText } from '../../base/errors.ts';
import type { Problem } from '../problems.ts';
import type { Spec } from '../spec.ts';

export function backupRules({ backup }: Spec): Problem[] {
  if (!backup) return [];
  const zone = timezoneProblem(backup.timezone);
  return [
    ...(zone ? [zone] : scheduleProblems(backup.schedule, backup.timezone)),
    ...keepProblems(backup.keep),
  ];
}

function timezoneProblem(timezone: string): Problem | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    return undefined;
  } catch {
    return {
      path: ['backup', 'timezone'],
      message: `found '${timezone}'; allowed: a name from the IANA time zone database, such as UTC or Europe/Berlin`,
    };
  }
}

function scheduleProblems(schedule: string, timezone: string): Problem[] {
  const path = ['backup', 'schedule'];
  const allowed = 'five fields: minute, hour, day of month, month, day of week, such as "0 20 * * *"';
  const nickname = /^@(hourly|daily|weekly|monthly)$/.test(schedule);
  if (!nickname && schedule.trim().split(/\s+/).length !== 5) {
    return [{ path, message: `found '${schedule}'; allowed: ${allowed}` }];
  }
  try {
    const next = new Cron(schedule, { timezone, paused: true }).nextRun();
    return next ? [] : [{ path, message: `found '${schedule}', which never comes; allowed: ${allowed}` }];
  } catch (error) {
    return [{ path, message: `found '${schedule}' (${errorText(error)}); allowed: ${allowed}` }];
  }
}

function keepProblems(keep: {
  hourly: number;
  daily: number;
  weekly: number;
  monthly: number;
  maxAgeMs: number | null;
}): Problem[] {
  const nothing = keep.hourly + keep.daily + keep.weekly + keep.monthly === 0 && keep.maxAgeMs === null;
  return nothing
    ? [{ path: ['backup', 'keep'], message: 'it keeps nothing; name at least one, such as { daily: 7 }' }]
    : [];
}
