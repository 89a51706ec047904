import type { Endpoint, MemberAddress } from '../config.ts';

/** Who belongs to the deployment: nobody else is ever followed, read from or waited for. */
export interface Membership {
  readonly all: readonly MemberAddress[];
  /** The member at an address, as a Sentinel or a server names it. The same object each time. */
  find(at: Endpoint): MemberAddress | undefined;
}

/** Those that the configuration names, until the agent names others. */
export class NamedMembers implements Membership {
  #all: readonly MemberAddress[];

  constructor(all: readonly MemberAddress[]) {
    this.#all = all;
  }

  get all(): readonly MemberAddress[] {
    return this.#all;
  }

  find({ address, port }: Endpoint): MemberAddress | undefined {
    return this.#all.find((member) => member.address === address && member.port === port);
  }

  replace(all: readonly MemberAddress[]): void {
    this.#all = all.map((member) => {
      const known = this.find(member);
      return known?.id === member.id ? known : member;
    });
  }
}

/** An address as somebody lists it. */
export interface Listed extends Endpoint {
  /** It, and what it resolves to: one may list a hostname and another its IP address. */
  readonly names: readonly string[];
}

export interface LearnedMember {
  readonly member: MemberAddress;
  readonly names: readonly string[];
}

export interface Seen {
  /** What each Sentinel lists, its primary and replicas; null for one that does not answer. */
  readonly lists: readonly (readonly Listed[] | null)[];
  /** The server that says of itself that it is primary. */
  readonly primary: Listed;
  /** Whom that server lists as its replicas. */
  readonly followers: readonly Listed[];
}

/**
 * Members of a deployment without a spec: what a majority of its Sentinels lists, and the primary's own ROLE confirms.
 * What they say first is believed, as it is by every client that asks Sentinels: a gate that starts in the middle of a
 * failover would not know the server that is just promoted, which is nobody's replica. From then on a server that Sentinels
 * name and that never was a replica of ours is no member: whoever may publish to __sentinel__:hello can have them name
 * any. A member is forgotten when a majority answers and nobody lists it any more (SENTINEL RESET).
 * @param majority of all Sentinels
 */
export function learnMembers(
  known: readonly LearnedMember[],
  { lists, primary, followers }: Seen,
  majority: number,
): readonly LearnedMember[] {
  const answered = lists.filter((list) => list !== null);
  if (answered.length < majority) return known;
  const listedBy = (at: Listed) => answered.filter((list) => list.some((each) => isSame(each, at))).length;
  const kept = known.filter(
    ({ member, names }) => listedBy({ ...member, names }) > 0 || isSame({ ...member, names }, primary),
  );
  const members = [...kept];
  for (const at of answered.flat()) {
    const index = members.findIndex(({ member, names }) => isSame({ ...member, names }, at));
    const before = members[index];
    if (before !== undefined) {
      members[index] = { member: before.member, names: merged(before.names, at.names) };
      continue;
    }
    const isFirst = known.length === 0;
    const confirmed = isFirst || isSame(at, primary) || followers.some((each) => isSame(each, at));
    if (!confirmed || listedBy(at) < majority) continue;
    const { address, port } = at;
    members.push({ member: { id: `${address}:${port}`, address, port }, names: at.names });
  }
  return members;
}

function isSame(a: Listed, b: Listed): boolean {
  return a.port === b.port && a.names.some((name) => b.names.includes(name));
}

/** Its newest names, and the one that it is known by. */
function merged(before: readonly string[], now: readonly string[]): readonly string[] {
  return [...new Set([...before.slice(0, 1), ...now])];
}
