/** Whether the servers that run are one primary and its replicas, and go by the addresses of the spec. Pure. */
import type { Spec } from '../../spec/spec.ts';
import type { MemberHere } from './member-rules.ts';
import type { Refusal } from './refusal.ts';

export function replicationRefusals(spec: Spec, members: readonly MemberHere[]): Refusal[] {
  const primaries = members.filter(({ running }) => running.role.role === 'primary');
  const [primary] = primaries;
  if (members.length === 0) return [];
  if (primary === undefined) return members.map(({ place, running }) => followsAnother(place.id, running));
  const ids = primaries.map(({ place }) => place.id).join(' and ');
  if (primaries.length > 1) {
    const what = `${ids} are primaries, each for itself`;
    return [
      {
        where: 'the spec',
        what,
        fix: 'A deployment has one primary: holdfast migrate brings several servers into one.',
      },
    ];
  }
  const found: Refusal[] = [];
  const isMember = ({ address, port }: { address: string; port: number }) =>
    spec.members.some((member) => member.address === address && member.port === port);
  const { role } = primary.running;
  for (const replica of role.role === 'primary' ? role.replicas : []) {
    if (isMember(replica)) continue;
    const what = `a replica follows it that goes by ${replica.address}:${replica.port}, and the spec has no such member`;
    found.push({
      where: primary.place.id,
      what,
      fix: 'Write the spec with holdfast init --from, which finds them, or take that replica away first.',
    });
  }
  for (const { place, running } of members) {
    const { role: own } = running;
    if (own.role !== 'replica') continue;
    const follows = own.primaryAddress === primary.place.address && own.primaryPort === primary.place.port;
    if (!follows) {
      const what = `it follows ${own.primaryAddress}:${own.primaryPort}, and the primary is ${primary.place.address}:${primary.place.port}`;
      found.push({
        where: place.id,
        what,
        fix: 'Every replica follows the primary itself, by the address of the spec: have it do so with REPLICAOF.',
      });
    } else if (own.link !== 'connected') {
      const what = `its link to the primary is "${own.link}", not connected`;
      found.push({ where: place.id, what, fix: 'Wait until it is in sync; its log says what keeps it.' });
    }
  }
  return [...found, ...sharedFolders(members)];
}

function followsAnother(where: string, { role }: MemberHere['running']): Refusal {
  const whom = role.role === 'replica' ? `${role.primaryAddress}:${role.primaryPort}` : 'nobody';
  return {
    where,
    what: `it is a replica of ${whom}, and the spec has no primary that runs`,
    fix: 'Name the whole of it in the spec (holdfast init --from), or make it a primary first: REPLICAOF NO ONE.',
  };
}

/** Files of two servers in one folder are each other's after the next start. */
function sharedFolders(members: readonly MemberHere[]): Refusal[] {
  const byFolder = new Map<string, { folder: string; ids: string[] }>();
  for (const { place, running } of members) {
    const { folder } = running;
    const key = `${place.host} ${folder}`;
    byFolder.set(key, { folder, ids: [...(byFolder.get(key)?.ids ?? []), place.id] });
  }
  return [...byFolder.values()]
    .filter(({ ids }) => ids.length > 1)
    .map(({ folder, ids }) => ({
      where: ids.join(' and '),
      what: `they have one data folder (${folder}), in which each writes over the files of the other`,
      fix: 'Give each a folder of its own: CONFIG SET dir, or start the replicas anew there.',
    }));
}
