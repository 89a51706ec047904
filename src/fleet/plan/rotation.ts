/**
 * The deployment's secret, from which all its own passwords are derived, is changed in three steps, each done on every host
 * before the next. Pure. What a host has tells how far it is, so that a change that was cut off is found and goes on:
 *
 * - accept: servers and agents take both, and use the present one. The host has `secret` and `secret-coming`.
 * - use: they use the new one, and still take both. `secret` is the new one, the old one `secret-former`.
 * - drop: only the new one is valid. The host has `secret-gone`, which nobody reads, and at its end `secret` alone.
 *
 * A step that some hosts have begun is done again on all: only whoever did it knows that it came to its end.
 */
import { FleetRefused } from '../errors.ts';

export type RotationStep = 'accept' | 'use' | 'drop';

/** SHA-256 of what a host has; null for what is not there. */
export interface HostSecrets {
  host: string;
  secretDigest: string | null;
  comingDigest: string | null;
  formerDigest: string | null;
  goneDigest: string | null;
}

export interface RotationPlan {
  /** What is left to do, in order. */
  steps: readonly RotationStep[];
  /** A host that has the new secret already; null: one is made. */
  holder: string | null;
}

/** @throws FLEET_REFUSED when the hosts have something that no such change leaves */
export function planRotation(hosts: readonly HostSecrets[]): RotationPlan {
  const bare = hosts.find(({ secretDigest }) => secretDigest === null);
  if (bare !== undefined) {
    throw FleetRefused(`host ${bare.host} has no secret yet`, {
      hint: 'holdfast apply gives it the one of the others.',
    });
  }
  const has = (which: 'comingDigest' | 'formerDigest' | 'goneDigest') =>
    hosts.filter((each) => each[which] !== null);
  const [coming, former, gone] = [has('comingDigest'), has('formerDigest'), has('goneDigest')];
  // Between its two renames a host has both.
  const turned = [...former, ...gone].filter(({ comingDigest }) => comingDigest === null);
  const news = new Set([
    ...coming.map((each) => each.comingDigest),
    ...turned.map((each) => each.secretDigest),
  ]);
  const olds = new Set(hosts.flatMap((each) => [each.secretDigest, each.formerDigest, each.goneDigest]));
  for (const digest of [null, ...news]) olds.delete(digest);
  if (news.size > 1 || olds.size > 1) {
    throw FleetRefused('the hosts have secrets of several changes, or of several deployments', {
      hint: 'sha256sum /var/lib/holdfast/NAME/secret* on each host shows which differ. Put right the one that was changed by hand.',
    });
  }
  const holder = (coming[0] ?? turned[0])?.host ?? null;
  if (former.length === 0 && gone.length === 0) return { steps: ['accept', 'use', 'drop'], holder };
  const isUsedByAll = coming.length === 0 && former.length < hosts.length;
  return { steps: isUsedByAll ? ['drop'] : ['use', 'drop'], holder };
}
