import { describeDuration } from '../../base/duration.ts';
import { oldestGoodBackupMs } from '../../spec/backup-pace.ts';
import type { Backup } from '../../spec/spec.ts';
import { type Check, type Finding, ok, skipped } from '../check.ts';
import type { BackupFacts, DeploymentFacts } from './facts.ts';

const howToTake = 'holdfast backup now takes one; holdfast events says why the scheduled ones failed.';

export const backups: Check<DeploymentFacts> = {
  id: 'backups',
  why: 'Replicas copy a mistaken FLUSHALL within a millisecond: only a backup brings the data back.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/#backing-up-redis-data',
  look: ({ spec, backups: found, wallMs }) => {
    if (spec.backup === null) {
      const fix = 'Add backup: { to: s3://bucket/prefix } to the spec.';
      return [{ severity: 'warning', found: 'the spec has no backup', fix }];
    }
    if (found === null) return [skipped(`${spec.backup.to} was not looked into`)];
    return [ageOf(spec.backup, found, wallMs), ...brokenOnes(found), ...aheadOnes(found)];
  },
};

function ageOf(backup: Backup, { newestAtMs, error }: BackupFacts, nowMs: number): Finding {
  const { to, schedule, timezone } = backup;
  if (error !== '') {
    const fix =
      'Look at the address, the network and the credentials of this host; nothing can be restored without it.';
    return { severity: 'critical', subject: to, found: `the store can't be looked into: ${error}`, fix };
  }
  if (newestAtMs === null) {
    return { severity: 'critical', subject: to, found: 'it has no good backup', fix: howToTake };
  }
  const ageMs = nowMs - newestAtMs;
  const found = `the newest good backup is ${describeDuration(Math.max(0, ageMs))} old`;
  const oldestMs = oldestGoodBackupMs(backup);
  if (ageMs <= oldestMs) return ok(found, to);
  return {
    severity: ageMs > 2 * oldestMs ? 'critical' : 'warning',
    subject: to,
    found: `${found}; the schedule is "${schedule}" (${timezone})`,
    fix: howToTake,
  };
}

function aheadOnes({ ahead }: BackupFacts): Finding[] {
  return ahead.map((found) => ({
    severity: 'warning',
    found,
    fix: 'Look at the clocks of the hosts. It is kept and counts for nothing until its date has passed; restore it by its id.',
  }));
}

function brokenOnes({ broken }: BackupFacts): Finding[] {
  return broken.map((why) => ({
    severity: 'warning',
    found: `a backup can't be used: ${why}`,
    fix: 'Restore from another one, and find out what has changed the store.',
  }));
}
