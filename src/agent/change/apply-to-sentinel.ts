/**
 * Brings one running Sentinel to the spec. A Sentinel never forgets a replica or a colleague by itself: those that are gone
 * from the spec and don't answer are forgotten by a RESET, after which it learns anew who is there. As Sentinel's
 * documentation asks, that is done with one Sentinel after the other, each knowing everybody again before the next.
 */
import { waitFor } from '../../base/retry.ts';
import type { SentinelClient } from '../../redis/sentinel-client.ts';
import type { Spec } from '../../spec/spec.ts';
import { ApplyRefused } from '../errors.ts';
import type { Change } from './spec-change.ts';

/** It hears of its colleagues within 2 s, and of replicas with the primary's next INFO, within 10 s. */
const learnsWithinMs = 30_000;

export async function applyToSentinel(
  spec: Spec,
  id: string,
  client: SentinelClient,
  dryRun: boolean,
): Promise<Change[]> {
  const found = await client.settings();
  const wanted: Record<string, number> = {
    quorum: spec.sentinel.quorum,
    'down-after-milliseconds': spec.sentinel.detectAfterMs,
    'failover-timeout': spec.sentinel.failoverTimeoutMs,
  };
  const changes: Change[] = [];
  for (const [what, value] of Object.entries(wanted)) {
    const from = found[what] ?? '';
    if (from === String(value)) continue;
    if (!dryRun) await client.set(what, String(value));
    changes.push({ where: id, what, from, to: String(value), takes: 'now' });
  }
  return [...changes, ...(await forgetStrangers(spec, id, client, dryRun))];
}

interface At {
  address: string;
  port: number;
}

interface Listed extends At {
  flags: readonly string[];
}

async function forgetStrangers(
  spec: Spec,
  id: string,
  client: SentinelClient,
  dryRun: boolean,
): Promise<Change[]> {
  const [isMember, isSentinel] = [isOneOf(spec.members), isOneOf(spec.sentinels)];
  const known = async () => ({ replicas: await client.replicas(), colleagues: await client.colleagues() });
  const before = await known();
  const strangers = [
    ...before.replicas.filter((each) => !isMember(each)),
    ...before.colleagues.filter((each) => !isSentinel(each)),
  ].filter(isGone);
  if (strangers.length === 0) return [];
  const from = strangers.map(({ address, port }) => `${address}:${port}`).join(', ');
  const change: Change = { where: id, what: 'knows', from, to: 'only those in the spec', takes: 'now' };
  if (dryRun) return [change];
  const primary = await client.primary();
  if (!isMember(primary)) {
    throw ApplyRefused(
      `${id} names ${primary.address}:${primary.port} as primary, which is not in the spec`,
      {
        hint: 'Move the primary to a member that stays (holdfast switchover), then apply again.',
      },
    );
  }
  const kept = {
    replicas: before.replicas.filter(isMember),
    colleagues: before.colleagues.filter(isSentinel),
  };
  await client.reset();
  const learned = async () => {
    const now = await known();
    return (
      kept.replicas.filter((each) => !isGone(each)).every(isOneOf(now.replicas)) &&
      kept.colleagues.filter((each) => !isGone(each)).every(isOneOf(now.colleagues))
    );
  };
  await waitFor(learned, { what: `${id} to know everybody again`, withinMs: learnsWithinMs, everyMs: 100 });
  return [change];
}

function isOneOf(places: readonly At[]): (at: At) => boolean {
  return (at) => places.some(({ address, port }) => address === at.address && port === at.port);
}

function isGone({ flags }: Listed): boolean {
  return flags.some((flag) => ['s_down', 'o_down', 'disconnected'].includes(flag));
}
