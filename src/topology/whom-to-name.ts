/**
 * Whom a Sentinel that watches nothing is told as the primary. Agents do not ask each other for it, and two that name
 * different members would leave the Sentinels without a majority. So what counts is, in this order:
 *
 * 1. The member that acts as primary, if no Sentinel that answers names another.
 * 2. When no member acts as one: whom the other Sentinels name, at the highest epoch.
 * 3. When none of them names anybody, and a majority watches nothing (so that nobody can be named elsewhere): whom they
 *    named last, at the highest epoch. A word counts only if this agent heard it a moment before the Sentinel forgot it:
 *    one that was cut off may remember a primary that was replaced since. With one host nobody else can have heard more.
 * 4. With one host, and nothing heard: the only member that said last that it is primary. Its agent wrote that down.
 *
 * Whoever is named and gone is replaced then by the usual rules, by election. A failover that is under way, or a vote that
 * something may still come of, is waited for: a Sentinel that is told again may vote a second time in the same epoch.
 */
import { isUnderWay } from './election/candidacy.ts';
import { voteIsStaleAfterMs } from './election/election.ts';
import { actingPrimary, type MemberView, namedPrimary, type SentinelView, type View } from './view.ts';

/** Undefined as long as it is not clear. */
export function whomToName(view: View, nowMs: number): MemberView | undefined {
  const acting = view.members.filter(({ reachable, role }) => reachable && role === 'primary');
  if (acting.length > 0) return actingPrimary(view) ?? onlyOneActing(view, acting);
  const id = whomSentinelsName(view);
  const lost = view.members.find((member) => member.id === id);
  if (!lost || isUnderWay(view, lost, nowMs)) return undefined;
  return view.vote !== null && nowMs - view.vote.atMs < voteIsStaleAfterMs ? undefined : lost;
}

function onlyOneActing({ sentinels }: View, [acting, ...more]: readonly MemberView[]) {
  const isOther = ({ reachable, primary }: SentinelView) => reachable && primary !== acting?.id;
  return more.length > 0 || sentinels.some(isOther) ? undefined : acting;
}

function whomSentinelsName(view: View): string | undefined {
  const { sentinels } = view;
  const naming = sentinels.filter(({ reachable }) => reachable);
  if (naming.length > 0) return namedPrimary(view)?.id ?? atHighestEpoch(naming);
  const unassigned = sentinels.filter(({ watchesNothing }) => watchesNothing);
  if (unassigned.length * 2 <= sentinels.length) return undefined;
  const isOneHost = [...view.members, ...sentinels].every(({ process }) => process !== null);
  const known = unassigned.filter(
    ({ primary, forgotLately }) => primary !== null && (forgotLately || isOneHost),
  );
  return known.length === 0 && isOneHost ? lastPrimary(view) : atHighestEpoch(known);
}

/** Undefined when two are named at the same epoch. */
function atHighestEpoch(some: readonly SentinelView[]): string | undefined {
  const highest = Math.max(...some.map(({ configEpoch }) => configEpoch));
  const named = new Set(
    some.filter(({ configEpoch }) => configEpoch === highest).map(({ primary }) => primary),
  );
  const [first, ...more] = named;
  return more.length > 0 ? undefined : (first ?? undefined);
}

function lastPrimary({ members }: View): string | undefined {
  const [last, ...more] = members.filter(({ lastRole }) => lastRole === 'primary');
  return more.length > 0 ? undefined : last?.id;
}
