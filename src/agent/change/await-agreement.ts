/**
 * The end of a switchover: every Sentinel names the new primary, every replica follows it and it takes writes; or somebody has
 * replaced it.
 */
import { errorCode } from '../../base/errors.ts';
import { hopeless, waitFor } from '../../base/retry.ts';
import { ownUserName } from '../../spec/secrets.ts';
import { hasVoters } from '../../topology/own-word.ts';
import { failoverUnderWay, namedPrimary, type View } from '../../topology/view.ts';
import { SwitchoverFailed } from '../errors.ts';
import type { SwitchoverContext } from './movable.ts';

interface Context {
  deployment: { view(): View };
  observer: Pick<SwitchoverContext['observer'], 'lookAtAll'>;
  operation: Pick<SwitchoverContext['operation'], 'signal'>;
}

const agreeWithinMs = 15_000;
/** Who had no link may have one with the new primary: so long it is waited for. */
const relinkWithinMs = 2000;

/** What was changed: ids of members, and the epoch of the votes. */
export interface Change {
  from: string;
  to: string;
  epoch: number;
  /** Those that had no link before: nobody fails because they still have none. */
  unlinked: ReadonlySet<string>;
  /** By member that may not be told to follow: what it said. Grows as they answer. */
  refusals: ReadonlyMap<string, string>;
  /** Settles when the new primary takes writes, or that is waited for no longer. */
  takesWrites: Promise<unknown>;
}

/**
 * @returns the members that had no link before, and have none now
 * @throws SWITCHOVER_FAILED at once when the new primary was replaced or a member may not be told to follow it; when some do not
 * follow it in time
 */
export async function waitForAgreement(
  { deployment, observer, operation: { signal } }: Context,
  change: Change,
): Promise<string[]> {
  const relinkedByMs = performance.now() + relinkWithinMs;
  let takesWrites = false;
  void change.takesWrites.finally(() => {
    takesWrites = true;
  });
  const agreed = async () => {
    await observer.lookAtAll();
    const view = deployment.view();
    const successor = successorOf(view, change);
    if (successor !== undefined) throw hopeless(replacedSince(change, successor));
    const missing = whoDoesNotFollow(view, change.to);
    const unwilling = missing.find((id) => change.refusals.has(id));
    if (unwilling !== undefined) throw hopeless(refusedToFollow(change, unwilling));
    if (missing.some((id) => !change.unlinked.has(id))) return false;
    return takesWrites && (missing.length === 0 || performance.now() > relinkedByMs) && missing;
  };
  return waitFor(agreed, {
    what: 'the Sentinels to agree',
    withinMs: agreeWithinMs,
    everyMs: 10,
    signal,
  }).catch((cause) => {
    signal.throwIfAborted();
    if (errorCode(cause) === 'SWITCHOVER_FAILED') throw cause;
    const missing = whoDoesNotFollow(deployment.view(), change.to);
    const what = missing.length > 0 ? `${missing.join(', ')} did not follow it` : 'it takes no writes';
    throw SwitchoverFailed(`${change.to} was made primary, and after ${agreeWithinMs} ms ${what}`, {
      hint: hintFor(deployment.view(), change.to),
      cause,
    });
  });
}

/**
 * Whom a majority of Sentinels names after the new primary. That they name the old one is no news as long as it is the word of
 * before; in a failover of its own a Sentinel gives that one the new epoch already (sentinel.c).
 */
export function successorOf(view: View, { from, to, epoch }: Change): string | undefined {
  const named = namedPrimary(view);
  if (named === null || named.id === to) return undefined;
  const isOldWord = named.id === from && (named.epoch <= epoch || failoverUnderWay(view) !== undefined);
  return isOldWord ? undefined : named.id;
}

function replacedSince({ to }: Change, successor: string): Error {
  return SwitchoverFailed(`${to} was made primary, and was replaced since: ${successor} is primary now`, {
    hint: `holdfast events shows why ${to} was replaced.`,
  });
}

function refusedToFollow({ to, refusals }: Change, member: string): Error {
  return SwitchoverFailed(
    `${to} was made primary, and ${member} does not let the agent have it follow (${refusals.get(member)})`,
    {
      hint: `Somebody took rights from the user ${ownUserName('agent')} there: holdfast apply gives them back, and it follows then.`,
    },
  );
}

/** Sentinels come to it by themselves; a replica without a link may not. */
function hintFor(view: View, primary: string): string {
  if (whoIsAstray(view, primary).length > 0) {
    return 'holdfast status shows the state of each. Sentinels that can be reached agree by themselves within some seconds.';
  }
  return `${hasVoters(view) ? 'The Sentinels agree. ' : ''}holdfast status says how each member is; the log of one without a link says what ${primary} answers it (holdfast logs).`;
}

function whoIsAstray({ sentinels }: View, primary: string): string[] {
  const astray = sentinels.filter(
    (each) => each.reachable && (each.primary !== primary || each.failoverInProgress),
  );
  return astray.map(({ id }) => id);
}

/** The ids of those that answer and have no link to a primary, but for this one. */
export function whoIsUnlinked({ members }: View, primary: string): string[] {
  return members
    .filter(({ id, reachable, linkUp }) => id !== primary && reachable && !linkUp)
    .map(({ id }) => id);
}

function whoDoesNotFollow(view: View, primary: string): string[] {
  return [...whoIsAstray(view, primary), ...whoIsUnlinked(view, primary)];
}
