/**
 * Who of those that are connected to a port of the API goes when there are too many, so that nobody can shut others out:
 *
 * - Waited for are those that have no whole request here: they are silent, send slowly, or do not take their answer. An
 *   address may have so many of them, and the oldest of further ones go. Younger ones than a moment stay: what they sent may
 *   not have been read yet.
 * - All together are so many at most. When there are more, one goes that is waited for, of the address that has most; when
 *   there is none, one that is answered and showed no token.
 * - Who showed a token goes last in each of these, and never while it is answered. Only when all are such, the newest goes.
 */
export interface Visitor {
  address: string;
  /** Since when it is waited for, or answered, in ms. */
  sinceMs: number;
  isWaitedFor: boolean;
  /** It showed a token or a session. */
  isKnown: boolean;
}

export interface VisitorLimits {
  most: number;
  mostWaitedForOfAddress: number;
  momentMs: number;
}

/** @param all with the newest among them. @returns who goes now; often nobody. */
export function whoLeaves<V extends Visitor>(
  all: readonly V[],
  newest: V,
  nowMs: number,
  { most, mostWaitedForOfAddress, momentMs }: VisitorLimits,
): V[] {
  if (all.length <= Math.min(most, mostWaitedForOfAddress)) return [];
  const waiting = all.filter((each) => each.isWaitedFor && each !== newest);
  const ofAddress = waiting.filter(({ address }) => address === newest.address).toSorted(firstToGo);
  const leaving = ofAddress
    .slice(0, Math.max(0, ofAddress.length + 1 - mostWaitedForOfAddress))
    .filter(({ sinceMs }) => sinceMs + momentMs <= nowMs);
  if (all.length - leaving.length <= most) return leaving;
  const answered = all.filter((each) => !each.isWaitedFor && !each.isKnown && each !== newest);
  const from = waiting.length > leaving.length ? waiting : answered;
  const [first = newest] = ofLargestAddress(from.filter((each) => !leaving.includes(each))).toSorted(
    firstToGo,
  );
  return [...leaving, first];
}

function firstToGo(a: Visitor, b: Visitor): number {
  return Number(a.isKnown) - Number(b.isKnown) || a.sinceMs - b.sinceMs;
}

function ofLargestAddress<V extends Visitor>(visitors: readonly V[]): V[] {
  const byAddress = new Map<string, V[]>();
  for (const each of visitors) {
    const others = byAddress.get(each.address);
    if (others === undefined) byAddress.set(each.address, [each]);
    else others.push(each);
  }
  return [...byAddress.values()].reduce<V[]>((most, some) => (some.length > most.length ? some : most), []);
}
