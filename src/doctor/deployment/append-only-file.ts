import { type Check, type Finding, ok } from '../check.ts';
import { type DeploymentFacts, type LiveMember, liveMembers } from './facts.ts';

export const appendOnlyFile: Check<DeploymentFacts> = {
  id: 'append-only-file',
  why: 'Writes that do not reach the AOF are lost with the process, while clients hold them for safe.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/',
  look: (facts) =>
    liveMembers(facts).flatMap((member) => lookAt(member, facts.spec.redis.persistence.startsWith('aof'))),
};

function lookAt({ place, config, info }: LiveMember, wanted: boolean): Finding[] {
  if (!wanted) return [];
  const subject = place.id;
  if (config['appendonly'] !== 'yes') {
    const mend = 'holdfast apply switches it on; look in the log why it was off.';
    return [
      { severity: 'critical', subject, found: 'the spec promises an AOF, but appendonly is off', mend },
    ];
  }
  const failed = (['aof_last_write_status', 'aof_last_bgrewrite_status'] as const).filter(
    (field) => (info[field] ?? 'ok') !== 'ok',
  );
  if (failed.length === 0) return [ok('the AOF is written and rewritten without error', subject)];
  const found = failed.map((field) => `${field} is ${info[field]}`).join(', ');
  return [
    {
      severity: 'critical',
      subject,
      found,
      mend: 'Most often the disk is full or failing: see the member’s log.',
    },
  ];
}
