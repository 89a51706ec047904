import { errorText } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import { failoverUnderWay, namedPrimary } from '../../topology/view.ts';
import { FailoverRefused } from '../errors.ts';
import type { ChangeContext } from './change-context.ts';

const overWithinMs = 20_000;

/**
 * Has the Sentinels replace the primary now, whether it lives or not, without draining it first. Writes that had
 * not reached the new primary are lost; a planned change is what `switchover` is for.
 */
export async function forceFailover({
  deployment,
  observer,
  report,
  operation,
}: ChangeContext): Promise<{ from: string | null; to: string }> {
  await observer.lookAtAll();
  const view = deployment.view();
  const from = namedPrimary(view)?.id ?? null;
  const underWay = failoverUnderWay(view);
  if (underWay !== undefined) {
    // Another Sentinel would not know of the first failover yet, and promote a second replica.
    throw FailoverRefused(underWay, {
      hint: 'holdfast events shows how far it is. If it comes to nothing, ask again when it has ended.',
    });
  }
  const sentinel = deployment.sentinels.find(({ watch }) => watch.seen.reachable && !watch.seen.tilt);
  if (!sentinel) {
    throw FailoverRefused('no Sentinel can be asked: none answers, or all are in TILT', {
      hint: 'holdfast status shows the Sentinels. TILT ends 30 s after the machine is calm again.',
    });
  }
  operation.signal.throwIfAborted();
  try {
    await sentinel.watch.client.failover();
  } catch (cause) {
    throw FailoverRefused(`${sentinel.place.id} refused: ${errorText(cause)}`, {
      hint: 'INPROG: one is under way, wait for it. NOGOODSLAVE: no replica is fit; see holdfast status.',
      cause,
    });
  }
  report(`${sentinel.place.id} was asked to fail over from ${from ?? 'an unknown primary'}`);
  const to = await waitFor(
    async () => {
      await observer.lookAtAll();
      const named = namedPrimary(deployment.view())?.id;
      return named !== undefined && named !== from && named;
    },
    {
      what: 'the Sentinels to name a new primary',
      withinMs: overWithinMs,
      everyMs: 50,
      signal: operation.signal,
    },
  );
  report(`${to} is primary`);
  return { from, to };
}
