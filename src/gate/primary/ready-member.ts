import type { GateConfig, MemberAddress } from '../config.ts';
import { GateControlFailed } from '../errors.ts';
import { Probe } from '../upstream/probe.ts';
import type { Membership } from './members.ts';
import { rulesFor, type Witness } from './witness.ts';

/**
 * Which member is primary now, asked of all that can tell: it is named by a majority of the Sentinels, or is the one member
 * that there is without them, and says itself that it is primary.
 * @throws GATE_CONTROL
 */
export async function readyMember(
  sentinels: readonly Witness[],
  members: Membership,
  config: GateConfig,
): Promise<MemberAddress> {
  // What they said last may be of before a failover: they are asked seldom while nothing follows from it.
  await Promise.all(sentinels.map((each) => each.poll()));
  const newestFirst = sentinels.toSorted((a, b) => (b.vote?.epoch ?? -1) - (a.vote?.epoch ?? -1));
  const named = newestFirst.map(({ vote }) => (vote === null ? undefined : members.find(vote)));
  const { majority } = rulesFor(config, config.quorumMajority);
  const votesFor = (member: MemberAddress) => named.filter((each) => each === member).length;
  const member =
    sentinels.length === 0
      ? config.members[0]
      : named.find((each) => each !== undefined && votesFor(each) >= majority);
  if (member === undefined) {
    throw GateControlFailed('no majority of the Sentinels names one of the members as primary');
  }
  const probe = new Probe(member, config);
  try {
    const role = await probe.role();
    if (role === 'master') return member;
    throw GateControlFailed(`${member.id} does not answer as primary but as ${role}`);
  } finally {
    probe.close();
  }
}
