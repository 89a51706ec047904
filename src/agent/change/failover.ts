import { waitFor } from '../../base/retry.ts';
import { isEligible } from '../../topology/eligibility.ts';
import { failoverUnderWay, namedPrimary } from '../../topology/view.ts';
import { replacePrimary } from '../election/replace-primary.ts';
import { FailoverRefused } from '../errors.ts';
import type { ChangeContext } from './change-context.ts';

const overWithinMs = 20_000;

/**
 * Replaces the primary now, whether it lives or not, without draining it first. Writes that had not reached the new
 * primary are lost; a planned change is what `switchover` is for.
 */
export async function forceFailover({
  deployment,
  observer,
  report,
  operation,
}: ChangeContext): Promise<{ from: string; to: string }> {
  await observer.lookAtAll();
  const view = deployment.view();
  const from = namedPrimary(view)?.id;
  const underWay = failoverUnderWay(view);
  if (underWay !== undefined) {
    throw FailoverRefused(underWay, {
      hint: 'holdfast events shows how far it is. If it comes to nothing, ask again when it has ended.',
    });
  }
  if (from === undefined) {
    throw FailoverRefused(
      'no majority of Sentinels says who is primary, so none can vote on who replaces it',
      {
        hint: 'holdfast status shows the Sentinels. Those that answer agree within some seconds.',
      },
    );
  }
  if (!view.members.some((member) => member.id !== from && isEligible(member))) {
    // Votes that are not used would hold the Sentinels back from a failover of their own.
    throw FailoverRefused(`no replica is fit to take over from ${from}`, {
      hint: 'holdfast status shows why: it must answer, be in sync, and have a replica-priority above 0.',
    });
  }
  operation.signal.throwIfAborted();
  report(`standing for election, to replace ${from}`);
  await replacePrimary(deployment, from);
  const to = await waitFor(
    async () => {
      await observer.lookAtAll();
      const named = namedPrimary(deployment.view())?.id;
      return named !== undefined && named !== from && named;
    },
    {
      what: 'the Sentinels to name a new primary',
      withinMs: overWithinMs,
      everyMs: 10,
      signal: operation.signal,
    },
  );
  report(`${to} is primary`);
  return { from, to };
}
