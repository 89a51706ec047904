/**
 * Whether a Sentinel of ours watches what it should. A Sentinel keeps what it watches in its own file and takes every
 * command: SENTINEL REMOVE, MONITOR and SET by hand, and a file that was cut off or edited, leave one that has no vote in
 * what becomes of the deployment, or the wrong one. Its colleagues' hello tells it of a newer primary within 2 s
 * (sentinelProcessHelloMessage in sentinel.c); what they can't tell it is told by the agent of its host:
 *
 * 1. It knows no primary of this name. At once: it has no vote, and remembers nothing that could be lost. Whom it is told:
 *    whom-to-name.ts.
 * 2. It watches another server than the one that a majority has named for longer than a hello takes, under no newer epoch, and has for as
 *    long: an event tells at once whom a Sentinel names, and not under which epoch, and one that names another since a moment ago may
 *    be the first to hear of a change.
 * 3. It says that the primary is down, which answers this agent, and has for longer than a Sentinel takes to notice, and no
 *    colleague agrees: it can't log in there. Of a network that is whole again agent and Sentinel learn one after the other.
 *
 * To be told again costs it whom it voted for. So 2 and 3 wait until no failover is under way, and come once in a while
 * only: what telling it did not heal, it does not heal soon.
 */
import {
  actingPrimary,
  failoverUnderWay,
  type MemberView,
  namedPrimary,
  type SentinelView,
  type View,
} from './view.ts';
import { whomToName } from './whom-to-name.ts';

export type AstrayCode = 'watches-nothing' | 'watches-another' | 'cannot-ask';

export interface Astray {
  process: string;
  primary: string;
  code: AstrayCode;
  reason: string;
}

/** Colleagues say hello every 2 s, and a busy machine is late. */
const learnsWithinMs = 15_000;
const tellAgainMs = 20_000;
/** A Sentinel pings every second, and gives up a connection that was cut off once half of `detectAfter` is over. */
const noticesWithinMs = 5000;

/** The first Sentinel of this host that is to be told the primary again. */
export function findAstray(view: View, nowMs: number): Astray | undefined {
  const own = view.sentinels.filter(({ process }) => process?.running);
  return own
    .map((each) => withoutPrimary(view, each, nowMs) ?? withAnother(view, each, nowMs))
    .find((each) => each);
}

function withoutPrimary(view: View, { id, watchesNothing }: SentinelView, nowMs: number): Astray | undefined {
  const primary = watchesNothing ? whomToName(view, nowMs) : undefined;
  if (!primary) return undefined;
  const acts = primary.reachable && primary.role === 'primary';
  const what = acts ? `${primary.id} is primary` : `${primary.id} is primary, which was named last`;
  const reason = `${id} answers and watches no primary of this deployment (SENTINEL REMOVE, or another file): it is told that ${what}`;
  return { process: id, primary: primary.id, code: 'watches-nothing', reason };
}

function withAnother(view: View, sentinel: SentinelView, nowMs: number): Astray | undefined {
  const { id, reachable, tilt, toldAtMs } = sentinel;
  const named = namedPrimary(view);
  const primary = actingPrimary(view);
  if (!reachable || tilt || named === null || primary?.id !== named.id) return undefined;
  if (failoverUnderWay(view) !== undefined || view.vote !== null) return undefined;
  if (view.namedSinceMs === null || nowMs - view.namedSinceMs < learnsWithinMs) return undefined;
  if (toldAtMs !== null && nowMs - toldAtMs < tellAgainMs) return undefined;
  const isLate = sentinel.namesSinceMs === null || nowMs - sentinel.namesSinceMs >= learnsWithinMs;
  if (sentinel.primary !== named.id && sentinel.configEpoch <= named.epoch && isLate) {
    const reason = `${id} watches ${sentinel.primary ?? 'a server that is no member'}, and the primary is ${named.id}: it is told so`;
    return { process: id, primary: named.id, code: 'watches-another', reason };
  }
  if (sentinel.primary !== named.id || !sentinel.saysDown || !answersWell(primary, nowMs)) return undefined;
  if (view.sentinels.some((each) => each.id !== id && each.reachable && each.saysDown)) return undefined;
  const reason = `${id} says that ${primary.id} is down, which answers everybody else (another password?): it is told again how to reach it`;
  return { process: id, primary: primary.id, code: 'cannot-ask', reason };
}

function answersWell({ reachable, busy, answersSinceMs, unansweredMs }: MemberView, nowMs: number): boolean {
  const isSettled = answersSinceMs !== null && nowMs - answersSinceMs >= noticesWithinMs;
  return reachable && busy === null && unansweredMs === 0 && isSettled;
}
