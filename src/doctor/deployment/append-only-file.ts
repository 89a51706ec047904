import type { Info } from '../../redis/info.ts';
import { type Check, type Finding, ok } from '../check.ts';
import { type DeploymentFacts, type LiveMember, liveMembers } from './facts.ts';

export const appendOnlyFile: Check<DeploymentFacts> = {
  id: 'append-only-file',
  why: 'Writes that do not reach the AOF are lost with the process, while clients hold them for safe.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/',
  look: (facts) =>
    liveMembers(facts).flatMap((member) => lookAt(member, facts.spec.redis.persistence.startsWith('aof'))),
};

/** More often than once an hour, on average. */
function slowDisk(info: Info, subject: string): Finding | undefined {
  const delayed = Number(info['aof_delayed_fsync'] ?? 0);
  const hours = Math.max(1, Number(info['uptime_in_seconds'] ?? 0) / 3600);
  if (delayed <= hours) return undefined;
  return {
    severity: 'warning',
    subject,
    found: `writes waited ${delayed} times for the disk to sync the AOF, in ${Math.round(hours)} h`,
    fix: 'The disk is too slow for the writes, or something else uses it: other volumes, backups, AOF rewrites.',
  };
}

/** `aof_last_write_status` is also what became of syncing in the background (Redis 7.0: writing or fsync failed). */
function lookAt({ place, config, info }: LiveMember, wanted: boolean): Finding[] {
  if (!wanted) return [];
  const subject = place.id;
  if (config['appendonly'] !== 'yes') {
    const fix = 'holdfast apply switches it on; look in the log why it was off.';
    return [{ severity: 'critical', subject, found: 'the spec promises an AOF, but appendonly is off', fix }];
  }
  const failed = (['aof_last_write_status', 'aof_last_bgrewrite_status'] as const).filter(
    (field) => (info[field] ?? 'ok') !== 'ok',
  );
  if (failed.length === 0)
    return [slowDisk(info, subject) ?? ok('the AOF is written without error', subject)];
  const found = failed.map((field) => `${field} is ${info[field]}`).join(', ');
  return [
    {
      severity: 'critical',
      subject,
      found,
      fix: 'Most often the disk is full or failing: see the member’s log.',
    },
  ];
}
