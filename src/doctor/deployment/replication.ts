import { describeSize } from '../../base/size.ts';
import { replicationInfo } from '../../redis/info.ts';
import { type Check, type Finding, ok } from '../check.ts';
import { type DeploymentFacts, type LiveMember, liveMembers } from './facts.ts';
import { inSync } from './in-sync.ts';

export const replication: Check<DeploymentFacts> = {
  id: 'replication',
  why: 'A replica that is behind loses that much at a failover, and one that fell out of the backlog copies everything.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/replication/',
  look: (facts) => {
    const members = liveMembers(facts);
    const newest = Math.max(0, ...members.map(({ info }) => replicationInfo(info).offset));
    const primaries = members.filter(({ info }) => replicationInfo(info).role === 'primary');
    const each = members.flatMap((member) => lookAt(member, newest));
    return [...countPrimaries(primaries), ...each, ...inSync(facts)];
  },
};

function countPrimaries(primaries: readonly LiveMember[]): Finding[] {
  if (primaries.length === 1) return [];
  const ids = primaries.map(({ place }) => place.id).join(', ');
  const found =
    primaries.length === 0 ? 'no member is a primary' : `${ids} all take themselves for the primary`;
  return [
    {
      severity: 'critical',
      found,
      fix: 'holdfast status shows who is named primary; see events for how it came.',
    },
  ];
}

function lookAt({ place, info, config }: LiveMember, newest: number): Finding[] {
  const { role, linkUp, syncing, offset, linkDownSeconds } = replicationInfo(info);
  const subject = place.id;
  if (role === 'primary') return [ok('it is the primary', subject)];
  if (!linkUp) {
    const state = syncing
      ? 'it is copying from the primary'
      : `its link to the primary is down for ${linkDownSeconds ?? '?'} s`;
    const fix = syncing
      ? 'Wait; if it never ends, raise the replica buffers (holdfast size).'
      : 'See its log.';
    return [{ severity: syncing ? 'warning' : 'critical', subject, found: state, fix }];
  }
  const behind = Math.max(0, newest - offset);
  const backlog = Number(config['repl-backlog-size'] ?? 0);
  if (behind <= backlog / 2) return [ok(`${describeSize(behind)} behind`, subject)];
  const found = `${describeSize(behind)} behind, with a backlog of ${describeSize(backlog)}`;
  return [
    {
      severity: 'warning',
      subject,
      found,
      fix: 'Look at the network and the replica’s load; a larger backlog buys time.',
    },
  ];
}
