/** The end of a switchover: every Sentinel names the new primary and every replica follows it; or somebody has replaced it. */
import { errorCode } from '../../base/errors.ts';
import { hopeless, waitFor } from '../../base/retry.ts';
import { failoverUnderWay, namedPrimary, type View } from '../../topology/view.ts';
import { SwitchoverFailed } from '../errors.ts';
import type { SwitchoverContext } from './movable.ts';

interface Context {
  deployment: { view(): View };
  observer: Pick<SwitchoverContext['observer'], 'lookAtAll'>;
  operation: Pick<SwitchoverContext['operation'], 'signal'>;
}

const agreeWithinMs = 15_000;

/** What was changed: ids of members, and the epoch of the votes. */
export interface Change {
  from: string;
  to: string;
  epoch: number;
}

/** @throws SWITCHOVER_FAILED at once when the new primary was replaced, or when some do not follow it in time */
export async function waitForAgreement(
  { deployment, observer, operation: { signal } }: Context,
  change: Change,
): Promise<void> {
  const agreed = async () => {
    await observer.lookAtAll();
    const view = deployment.view();
    const successor = successorOf(view, change);
    if (successor !== undefined) throw hopeless(replacedSince(change, successor));
    return whoDoesNotFollow(view, change.to).length === 0;
  };
  await waitFor(agreed, {
    what: 'the Sentinels to agree',
    withinMs: agreeWithinMs,
    everyMs: 10,
    signal,
  }).catch((cause) => {
    signal.throwIfAborted();
    if (errorCode(cause) === 'SWITCHOVER_FAILED') throw cause;
    const missing = whoDoesNotFollow(deployment.view(), change.to).join(', ');
    throw SwitchoverFailed(
      `${change.to} was made primary, and after ${agreeWithinMs} ms ${missing} did not follow it`,
      { hint: 'holdfast status shows why. The Sentinels usually agree later by themselves.', cause },
    );
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

function whoDoesNotFollow({ sentinels, members }: View, primary: string): string[] {
  const astray = sentinels.filter(
    (each) => each.reachable && (each.primary !== primary || each.failoverInProgress),
  );
  const unlinked = members.filter(({ id, reachable, linkUp }) => id !== primary && reachable && !linkUp);
  return [...astray, ...unlinked].map(({ id }) => id);
}
