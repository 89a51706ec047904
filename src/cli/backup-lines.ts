/** The schedule of backups as lines, for `status`. */
import type { BackupStatus } from '../agent/backups/backup-schedule.ts';
import { describeDuration } from '../base/duration.ts';
import type { Output } from './output.ts';

export function backupLines(
  backup: BackupStatus,
  { red, yellow }: Pick<Output['colors'], 'red' | 'yellow'>,
): string[] {
  const { lastGoodId, ageMs, nextAt, lastError, lastVerifiedAt, lastVerifiedGood, running, unread } = backup;
  const next = running ? 'one is being taken' : `next ${nextAt ?? 'never'}`;
  const failed = lastError === null ? [] : [`  ${red('!')} ${lastError}`];
  // An agent that has just started knows of none, and that says nothing.
  if (unread) return [`the store of backups was not read yet, ${next}`, ...failed];
  const last =
    lastGoodId === null || ageMs === null
      ? yellow('no backup is known')
      : `last backup ${describeDuration(ageMs)} ago (${lastGoodId})`;
  const verdict = lastVerifiedGood === false ? red('is NOT good') : 'verified';
  const verified = lastVerifiedAt === null ? 'none verified' : `${verdict} ${lastVerifiedAt}`;
  return [`${last}, ${verified}, ${next}`, ...failed];
}
