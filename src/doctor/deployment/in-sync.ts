import { replicationInfo } from '../../redis/info.ts';
import { inSyncField } from '../../stream/lead-position.ts';
import { decodeInSync } from '../../topology/in-sync-record.ts';
import { type Finding, ok } from '../check.ts';
import { type DeploymentFacts, liveMembers } from './facts.ts';

const fix =
  'It comes back by itself when it has all; holdfast status and events show what keeps it from that.';

/**
 * Of standalone members: who has all that was acknowledged, as the one that leads has it written down. With `mirror.ack` quorum
 * or all only such a one may lead.
 */
export function inSync(facts: DeploymentFacts): Finding[] {
  const { mirror, members } = facts.spec;
  const lead = liveMembers(facts).find(({ info }) => replicationInfo(info).role === 'primary');
  if (mirror === null || mirror.ack === 'one' || lead === undefined) return [];
  const subject = lead.place.id;
  const record = decodeInSync(lead.info[inSyncField]);
  if (record === null)
    return [
      {
        severity: 'critical',
        subject,
        found: 'it does not say who is in sync: no write is acknowledged',
        fix,
      },
    ];
  const missing = members.map(({ id }) => id).filter((id) => !record.in.includes(id));
  if (missing.length === 0) return [ok('all members are in sync', subject)];
  const what = `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not in sync`;
  return record.in.length === 1
    ? [{ severity: 'critical', subject, found: `${what}: nobody takes over from ${subject}`, fix }]
    : [{ severity: 'warning', subject, found: what, fix }];
}
