/**
 * Who of those that are connected to a port of the API goes when there are too many, so that nobody can shut others out:
 *
 * - Waited for are those that have no whole request here: they are silent, send slowly, or do not take their answer. An
 *   address may have so many of them, and the oldest of further ones go. New ones stay: what they sent may not have been
 *   read yet.
 * - All together are so many at most. Of further ones those go that are waited for, the oldest of the address that has most
 *   of them; then those that are answered and showed no token.
 * - New ones go after others, and who showed a token goes last in each of these, and never while it is answered, unless all are such.
 */
export interface Visitor {
  address: string;
  /** Since when it is waited for, or answered, in ms. */
  sinceMs: number;
  isWaitedFor: boolean;
  /** It showed a token or a session. */
  isKnown: boolean;
  /** It came just now. */
  isNew: boolean;
}

export interface VisitorLimits {
  most: number;
  mostWaitedForOfAddress: number;
}

/** @param all in whatever order. @returns who goes now; often nobody. */
export function whoLeaves<V extends Visitor>(
  all: readonly V[],
  { most, mostWaitedForOfAddress }: VisitorLimits,
): V[] {
  if (all.length <= Math.min(most, mostWaitedForOfAddress)) return [];
  const leaving = new Set<V>();
  const waiting = byAddress(all.filter(({ isWaitedFor }) => isWaitedFor));
  for (const some of waiting) {
    const over = some.slice(0, Math.max(0, some.length - mostWaitedForOfAddress));
    for (const each of over) if (!each.isNew) leaving.add(each);
  }
  const groups = [
    all.filter(({ isWaitedFor }) => isWaitedFor),
    all.filter(({ isWaitedFor, isKnown }) => !isWaitedFor && !isKnown),
    all.filter(({ isWaitedFor, isKnown }) => !isWaitedFor && isKnown),
  ];
  for (const group of groups) {
    const staying = byAddress(group.filter((each) => !leaving.has(each)));
    while (all.length - leaving.size > most) {
      const first = largest(staying)?.shift();
      if (first === undefined) break;
      leaving.add(first);
    }
  }
  return [...leaving];
}

/** Those of each address, in the order in which they go. */
function byAddress<V extends Visitor>(visitors: readonly V[]): V[][] {
  const found = new Map<string, V[]>();
  for (const each of visitors) {
    const others = found.get(each.address);
    if (others === undefined) found.set(each.address, [each]);
    else others.push(each);
  }
  return [...found.values()].map((some) => some.toSorted(firstToGo));
}

function firstToGo(a: Visitor, b: Visitor): number {
  return Number(a.isKnown) - Number(b.isKnown) || Number(a.isNew) - Number(b.isNew) || a.sinceMs - b.sinceMs;
}

/** The list with most; of several, the one whose first is to go first. */
function largest<V extends Visitor>(lists: readonly V[][]): V[] | undefined {
  let most = lists[0];
  for (const list of lists.slice(1)) {
    const more = list.length - (most?.length ?? 0);
    const [head] = list;
    const [other] = most ?? [];
    if (more > 0 || (more === 0 && head && other && firstToGo(head, other) < 0)) most = list;
  }
  return most;
}
