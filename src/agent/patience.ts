/**
 * While a restore hands the primary its data, the primary says that it is a replica. A Sentinel takes that for a
 * failure after `down-after-milliseconds` and twice the 10 s between its INFOs (sentinelCheckSubjectivelyDown in
 * Redis's sentinel.c). So for that time the Sentinels are told to be patient. A crash is failed over all the same,
 * because the agent that sees it asks for that; a host that is lost meanwhile is noticed later.
 *
 * Patience that outlived its restore, because the agent that asked for it died, is taken back by the agent that owns the
 * Sentinel once the primary acts as one again.
 */
import { actingPrimary } from '../topology/view.ts';
import type { Deployment, LiveSentinel } from './deployment.ts';

const option = 'down-after-milliseconds';
const leastMs = 60_000;
/** What the slowest disk and loader should manage. */
const slowBytesPerMs = 20_000;

/** How long the Sentinels are to wait for a primary that takes this many bytes. */
export function patienceMs(bytes: number): number {
  return leastMs + Math.round(bytes / slowBytesPerMs);
}

/** @throws REDIS_UNREACHABLE or REDIS_REFUSED when one that answered before can't be told. */
export async function makePatient(deployment: Deployment, forMs: number): Promise<void> {
  const reachable = deployment.sentinels.filter(({ watch }) => watch.seen.reachable);
  await Promise.all(reachable.map(({ watch }) => watch.client.set(option, String(forMs))));
}

/** @returns how many Sentinels were more patient than the spec says. One that can't be asked is left as it is. */
export async function takeBackPatience(
  deployment: Deployment,
  sentinels: readonly LiveSentinel[] = deployment.sentinels,
): Promise<number> {
  const wanted = String(deployment.spec.sentinel.detectAfterMs);
  const changed = await Promise.allSettled(
    sentinels.map(async ({ watch }) => {
      const found = (await watch.client.settings())[option];
      if (found === wanted) return 0;
      await watch.client.set(option, wanted);
      return 1;
    }),
  );
  return changed.reduce((sum, each) => sum + (each.status === 'fulfilled' ? each.value : 0), 0);
}

/** For housekeeping: looks at this host's own Sentinels when no restore can be under way, here or elsewhere. */
export async function takeBackOwnPatience(deployment: Deployment): Promise<void> {
  const view = deployment.view();
  if (view.operation !== null || actingPrimary(view) === null) return;
  const own = deployment.sentinels.filter(({ part }) => part?.process.running);
  const changed = await takeBackPatience(deployment, own);
  if (changed === 0) return;
  const text = `${changed} of this host's Sentinels waited longer than sentinel.detectAfter for a lost primary, left over from a restore; set back`;
  deployment.events.add('patience-over', deployment.spec.name, text);
}
