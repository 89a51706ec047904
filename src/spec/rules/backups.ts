import { Cron } from 'croner';
import { errorText } from '../../base/errors.ts';
import { isAgeRecipient } from '../age-recipient.ts';
import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import type { Backup, Spec } from '../spec.ts';

export function backupRules({ backup, members }: Spec, file: SpecFile): Problem[] {
  if (!backup) return [];
  const zone = timezoneProblem(backup.timezone);
  return [
    ...(zone ? [zone] : scheduleProblems(backup.schedule, backup.timezone)),
    ...keepProblems(backup.keep),
    ...storeProblems(backup, file.backup ?? {}),
    ...recipientProblems(backup.recipients),
    ...sourceProblems(backup.from, members.length),
  ];
}

const ofBuckets = ['endpoint', 'region', 'pathStyle', 'serverSideEncryption', 'kmsKeyId'] as const;

function storeProblems({ to, s3 }: Backup, file: Partial<NonNullable<SpecFile['backup']>>): Problem[] {
  const problems: Problem[] = [];
  for (const key of to.startsWith('file:') ? ofBuckets : []) {
    if (file[key] === undefined) continue;
    problems.push({
      path: ['backup', key],
      message: 'it has no meaning for a folder; remove it, or let `to` be s3://bucket/prefix',
      about: 'key',
    });
  }
  if (s3.kmsKeyId !== null && s3.serverSideEncryption !== 'aws:kms') {
    const message = 'a key without serverSideEncryption: aws:kms is not used; add that, or remove the key';
    problems.push({ path: ['backup', 'kmsKeyId'], message });
  }
  return problems;
}

function recipientProblems(recipients: readonly string[]): Problem[] {
  return recipients.flatMap((recipient, index) =>
    isAgeRecipient(recipient)
      ? []
      : [
          {
            path: ['backup', 'encryption', 'recipients', index],
            message: `found '${recipient}', whose checksum is wrong: a letter was lost or changed, and nobody could open the backups; copy it again`,
          },
        ],
  );
}

function sourceProblems(from: Backup['from'], members: number): Problem[] {
  if (from !== 'replica' || members > 1) return [];
  const message = 'there is one member and no replica, so no backup could be taken; say primary';
  return [{ path: ['backup', 'from'], message }];
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
