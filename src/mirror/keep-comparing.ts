/**
 * `mirror.read: quorum`: what a member holds is compared with the one that leads while it follows, and what differs is
 * repaired by the latter (stream/reassert.ts). Only who writes to a follower by itself makes a difference, and no read shows
 * it, as the lead answers; but whoever leads next would.
 */
import { pause } from '../base/retry.ts';
import { openSource } from '../migrate/open-source.ts';
import { verify } from '../migrate/verify/verify.ts';
import { quoteKey } from '../rdb/errors.ts';
import type { Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { comparedMember } from './compare-member.ts';

/** `left`: why the first that was not repaired was not; null when all were. */
export interface Repaired {
  keys: number;
  first: string;
  left: string | null;
}

const everyMs = 5000;
/** Servers and this machine have it to do for no more than so much of the time. */
const share = 0.02;
/** Of more keys some are taken by chance, each time others. */
const allUpTo = 2000;
const sampled = 500;

/** Until the signal is aborted. @param isFollowing whether the member has all, and follows */
export async function keepComparing(
  { spec, secrets, ids }: { spec: Spec; secrets: Secrets; ids: { member: string; lead: string } },
  signal: AbortSignal,
  { isFollowing, onRepaired }: { isFollowing(): boolean; onRepaired(repaired: Repaired): void },
): Promise<void> {
  let tookMs = 0;
  while (!signal.aborted) {
    await pause(Math.max(everyMs, tookMs / share), signal).catch(() => {});
    if (signal.aborted || !isFollowing()) continue;
    const beganMs = performance.now();
    // One that can't be asked now is asked the next time.
    const found = await compareOnce(spec, secrets, ids, signal).catch(() => null);
    tookMs = performance.now() - beganMs;
    if (found !== null) onRepaired(found);
  }
}

async function compareOnce(
  spec: Spec,
  secrets: Secrets,
  ids: { member: string; lead: string },
  signal: AbortSignal,
): Promise<Repaired | null> {
  const { source: from, target, scope, close } = await comparedMember(spec, secrets, ids);
  try {
    const source = await openSource(from);
    try {
      let found: Repaired | null = null;
      const { keys } = await source.facts();
      await verify({
        ...{ source, target, signal, repair: true, ...scope },
        // One value of 60 MB, read again and again, kept a busy lead from answering until another was made it.
        passesLong: true,
        sample: keys > allUpTo ? sampled : undefined,
        onProgress: () => {},
        onDifference: ({ key, unsettled, left = null }) => {
          if (unsettled) return;
          found ??= { keys: 0, first: quoteKey(key), left: null };
          found.keys++;
          found.left ??= left;
        },
      });
      return found;
    } finally {
      source.close();
    }
  } finally {
    close();
  }
}
