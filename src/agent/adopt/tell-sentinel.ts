/**
 * Tells a Sentinel with what it logs in from now on, and how it watches. With another login it drops its connections to all servers
 * (sentinel.c, `SENTINEL SET … auth-pass`), and makes them anew up to a second later. Until then it would promote nobody
 * (`-failover-abort-no-good-slave`), and what it had sent to the one that it was promoting may be lost
 * (`-failover-abort-slave-timeout`): the next try comes twice `failover-timeout` later. So:
 *
 * 1. It is told when it is at no failover and its primary answers it. What goes on is waited for.
 * 2. It is waited for until it hears again all whom it heard before. The next one is told then: a majority can always
 *    replace the primary. One that does not get in with the new login is the only one that was told.
 */
import { waitFor } from '../../base/retry.ts';
import type { SentinelClient } from '../../redis/sentinel-client.ts';
import { isReached, type WatchedPrimary, type WatchedReplica } from '../../redis/sentinel-replies.ts';
import { sentinelSettings } from '../../render/sentinel-conf.ts';
import { applySentinelPasswords } from '../change/sentinel-passwords.ts';
import { AdoptRefused } from '../errors.ts';
import type { RunningSentinel } from './facts.ts';
import { type There, type Work, withSentinel } from './servers-there.ts';

/** A failover that goes on takes seconds; one that hangs is given up by its Sentinel behind its `failover-timeout`. */
const restsWithinMs = 60_000;
/** Connections are made at most once a second, and pinged as often; what a busy machine adds. */
const hearsWithinMs = 30_000;
/** A ping a second, at least. */
const heardLatelyMs = 2000;

type Heard = Pick<WatchedReplica, 'address' | 'port' | 'flags' | 'okPingAgeMs'>;

/** @throws ADOPT_REFUSED, and what the Sentinel says */
export async function tellSentinel(work: Work, sentinel: There<RunningSentinel>): Promise<void> {
  const { spec, secrets } = work.setting;
  const { id } = sentinel;
  await withSentinel(sentinel, work, async (client) => {
    await untilAtRest(id, client);
    const before = (await watchedBy(client)).filter(({ flags }) => isReached(flags));
    const settings = [...sentinelSettings(spec, secrets), ['quorum', spec.sentinel.quorum] as const];
    for (const [option, value] of settings) await client.set(option, String(value));
    const there = { id, client, file: '', asTaken: true };
    await applySentinelPasswords(spec.name, secrets, there, false);
    await untilItHears(id, client, before);
  });
  work.report(`${id} watches with the settings of the spec`);
}

async function untilAtRest(id: string, client: SentinelClient): Promise<void> {
  let busy: string | null = null;
  const isAtRest = async () => {
    busy = busyWith(await client.primary());
    return busy === null;
  };
  await waitFor(isAtRest, { what: `${id} to be at no failover`, withinMs: restsWithinMs }).catch((cause) => {
    if (busy === null) throw cause;
    throw AdoptRefused(`${id} could not be told with what it logs in: it says of the primary: ${busy}`, {
      hint: 'What ran runs on, and lets holdfast in. When that is over, say holdfast adopt again: it goes on.',
      cause,
    });
  });
}

async function untilItHears(id: string, client: SentinelClient, before: readonly Heard[]): Promise<void> {
  const sinceMs = performance.now();
  let missing: Heard[] = [];
  const hearsAll = async () => {
    const agoMs = performance.now() - sinceMs;
    missing = stillMissing(before, await watchedBy(client), agoMs);
    return missing.length === 0;
  };
  await waitFor(hearsAll, { what: `${id} to hear the servers again`, withinMs: hearsWithinMs }).catch(
    (cause) => {
      if (missing.length === 0) throw cause;
      const where = missing.map(({ address, port }) => `${address}:${port}`).join(' and ');
      throw AdoptRefused(
        `${id} was told to log in as holdfast's user, and has not heard ${where} for ${hearsWithinMs} ms since`,
        {
          hint: 'The other Sentinels watch as they did. Look whether the server is up, and what it says of the Sentinel’s user (ACL LOG); then say holdfast adopt again: it goes on.',
          cause,
        },
      );
    },
  );
}

async function watchedBy(client: SentinelClient): Promise<Heard[]> {
  return [await client.primary(), ...(await client.replicas())];
}

/** What keeps a Sentinel from being told, in its own words; null for nothing. */
export function busyWith({
  flags,
  okPingAgeMs,
}: Pick<WatchedPrimary, 'flags' | 'okPingAgeMs'>): string | null {
  const busy = flags.filter((flag) => /down|failover|disconnected/.test(flag));
  if (busy.length > 0) return busy.join(', ');
  return okPingAgeMs > heardLatelyMs ? `no answer for ${okPingAgeMs} ms` : null;
}

/** Of whom it heard before: who has not answered it since. A primary that became a replica meanwhile is found as such. */
export function stillMissing(before: readonly Heard[], now: readonly Heard[], sinceMs: number): Heard[] {
  return before.filter(
    ({ address, port }) =>
      !now.some(
        (each) =>
          each.address === address &&
          each.port === port &&
          isReached(each.flags) &&
          each.okPingAgeMs < sinceMs,
      ),
  );
}
