/**
 * A restore does two things to the primary that a Sentinel takes for a failure (sentinelCheckSubjectivelyDown in Redis's
 * sentinel.c), so for that time the Sentinels are told to be patient:
 *
 * - CLIENT PAUSE WRITE stops PUBLISH too. A Sentinel publishes every 2 s on the connection that it sends its PINGs on, so
 *   these are not answered either. At half of its patience it opens another connection, which answers for a while.
 * - While it takes its data, the primary says that it is a replica. That counts after `down-after-milliseconds` and twice
 *   the 10 s between a Sentinel's INFOs.
 *
 * A crash is failed over all the same, because the agent that sees it asks for that; a host that is lost meanwhile is
 * noticed later.
 *
 * The first start on several hosts asks for patience too: the Sentinels run before the servers, which wait for them.
 *
 * Patience that outlived its reason, because the agent that asked for it died, is taken back by the agent that owns the
 * Sentinel once the primary acts as one again.
 */
import { waitFor } from '../../base/retry.ts';
import type { SentinelClient } from '../../redis/sentinel-client.ts';
import { actingPrimary } from '../../topology/view.ts';
import type { Deployment, LiveMember, LiveSentinel } from '../deployment.ts';

const option = 'down-after-milliseconds';
const leastMs = 60_000;
export const firstStartPatienceMs = leastMs;
/** A Sentinel asks for INFO every 10 s. */
const seesWithinMs = 25_000;
const freshMs = 2000;
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

/**
 * Sets every Sentinel back to what the spec says, each when it sees the primary as one that answers: before, the rest of
 * what it was to be patient about would count as a failure. @returns how many had been more patient.
 */
export async function takeBackPatience(
  deployment: Deployment,
  sentinels: readonly LiveSentinel[] = deployment.sentinels,
): Promise<number> {
  const wanted = String(deployment.spec.sentinel.detectAfterMs);
  const changed = await Promise.allSettled(
    sentinels.map(async ({ watch }) => {
      if ((await watch.client.settings())[option] === wanted) return 0;
      await waitFor(() => seesPrimary(watch.client), {
        what: 'a Sentinel',
        withinMs: seesWithinMs,
        everyMs: 100,
        signal: deployment.operations.life,
      });
      await watch.client.set(option, wanted);
      return 1;
    }),
  );
  return changed.reduce((sum, each) => sum + (each.status === 'fulfilled' ? each.value : 0), 0);
}

async function seesPrimary(sentinel: SentinelClient): Promise<boolean> {
  const { roleReported, okPingAgeMs } = await sentinel.primary();
  return roleReported === 'master' && okPingAgeMs < freshMs;
}

/**
 * After a restore. While the primary answers as one nobody waits for the Sentinels to see it; when it does not, they must
 * find out at once.
 */
export async function endPatience(deployment: Deployment, primary: LiveMember): Promise<void> {
  const role = await primary.watch.client.role().catch(() => undefined);
  if (role?.role === 'primary') void takeBackPatience(deployment);
  else {
    const wanted = String(deployment.spec.sentinel.detectAfterMs);
    await Promise.allSettled(deployment.sentinels.map(({ watch }) => watch.client.set(option, wanted)));
  }
}

/** After a first start: this host's own Sentinels, once there is a primary and they see it, however long that takes. */
export async function endFirstPatience(deployment: Deployment): Promise<void> {
  const { sentinels, operations } = deployment;
  await waitFor(() => actingPrimary(deployment.view()) !== null, {
    what: 'a primary',
    withinMs: Number.POSITIVE_INFINITY,
    everyMs: 100,
    signal: operations.life,
  });
  await takeBackPatience(
    deployment,
    sentinels.filter(({ unit }) => unit?.process.running),
  );
}

/** For housekeeping: looks at this host's own Sentinels when no restore can be under way, here or elsewhere. */
export async function takeBackOwnPatience(deployment: Deployment): Promise<void> {
  const view = deployment.view();
  if (view.operation !== null || actingPrimary(view) === null) return;
  const own = deployment.sentinels.filter(({ unit }) => unit?.process.running);
  const changed = await takeBackPatience(deployment, own);
  if (changed === 0) return;
  const text = `${changed} of this host's Sentinels waited longer than sentinel.detectAfter for a lost primary, left over from a restore or a first start; set back`;
  deployment.events.add('patience-over', deployment.spec.name, text);
}
