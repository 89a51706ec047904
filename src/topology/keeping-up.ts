/**
 * With `durability: replicated` a write is acknowledged when every replica that could be promoted has it. A replica
 * that does not keep up would hold all writes up, so it loses its eligibility: replica-priority 0, which Sentinels
 * read as "never promote". The gates see that at the Sentinels, and only then stop waiting for it. It gets its
 * priority back when it keeps up again; the gates wait for it before any Sentinel would promote it.
 *
 * Nobody is taken out while the primary does not answer (a failover may be near, and needs every candidate), while
 * something planned is under way, or when no other replica would be left.
 */

/** What the primary's offset was, in bytes, when we looked. Oldest first. */
export interface OffsetSample {
  atMs: number;
  offset: number;
}

export interface Follower {
  id: string;
  /** Its process is one of this host: an agent acts on its own members only. */
  own: boolean;
  reachable: boolean;
  linkUp: boolean;
  offset: number;
  priority: number;
  /** It was taken out by us. */
  takenOut: boolean;
}

export type Eligibility = { kind: 'take-out' | 'put-back'; member: string; reason: string };

/** As long as a Sentinel takes at least to call a silent member down. */
const behindMs = 3000;
/** Members are looked at every second, one after the other: this much says nothing. */
const levelMs = 1500;
const keptSamples = 120;

export function addSample(samples: readonly OffsetSample[], sample: OffsetSample): OffsetSample[] {
  return [...samples, sample].slice(-keptSamples);
}

/** For how long there has been something that the replica does not have, in ms. */
export function behindForMs(samples: readonly OffsetSample[], offset: number, nowMs: number): number {
  const first = samples.find((sample) => sample.offset > offset);
  return first === undefined ? 0 : nowMs - first.atMs;
}

export function decideEligibility(
  followers: readonly Follower[],
  samples: readonly OffsetSample[],
  nowMs: number,
): Eligibility[] {
  const behind = (each: Follower) => behindForMs(samples, each.offset, nowMs);
  const level = (each: Follower) => each.reachable && each.linkUp && behind(each) <= levelMs;
  const candidates = followers.filter((each) => level(each) && each.priority > 0);
  return followers.flatMap((each): Eligibility[] => {
    if (!each.own || !each.reachable) return [];
    if (each.takenOut && each.priority === 0 && level(each)) {
      return [{ kind: 'put-back', member: each.id, reason: `${each.id} keeps up again: it may be promoted` }];
    }
    const others = candidates.some((other) => other.id !== each.id);
    if (each.priority === 0 || behind(each) < behindMs || !others) return [];
    const seconds = (behind(each) / 1000).toFixed(1);
    const reason = `${each.id} has been behind for ${seconds} s: it is not to be promoted, so that writes need not wait for it`;
    return [{ kind: 'take-out', member: each.id, reason }];
  });
}
