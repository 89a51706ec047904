import { waitFor } from '../../base/retry.ts';
import type { MemberClient } from '../../redis/member-client.ts';

/** A member that has just become primary. */
interface NewPrimary {
  readonly watch: { readonly client: Pick<MemberClient, 'role'> };
}

const withinMs = 15_000;

/**
 * Waits until a new primary takes writes: it refuses them with NOREPLICAS until as many replicas follow it as the spec asks for.
 * @param needed `redis.minReplicasToWrite`. @param signal ends the wait
 * @returns when that was, on the monotonic clock; null when it was not waited for to the end. Never throws.
 */
export async function whenItTakesWrites(
  { watch }: NewPrimary,
  needed: number,
  signal: AbortSignal,
): Promise<number | null> {
  const takesThem = async () => {
    if (needed === 0) return true;
    const found = await watch.client.role().catch(() => null);
    return found?.role === 'primary' && found.replicas.length >= needed;
  };
  return waitFor(takesThem, { what: 'replicas to follow', withinMs, everyMs: 2, signal }).then(
    () => performance.now(),
    () => null,
  );
}
