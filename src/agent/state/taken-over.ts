/**
 * Of a server or Sentinel that ran before holdfast did, and was taken over while it ran (agent/adopt): until it is started
 * again it listens where it always did and not on a socket of ours, has no ACL file of ours, and writes to a redis.conf of
 * its own. What a mark says besides holds for good: by which id the other Sentinels know this one.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from '../../base/atomic-file.ts';
import { isRunning } from '../../process/identity.ts';
import type { Address, Endpoint } from '../../redis/endpoint.ts';
import type { UnitPaths } from './paths.ts';

const schema = z.object({
  pid: z.number(),
  startTime: z.string(),
  address: z.string(),
  port: z.number(),
  /** Of a Sentinel. */
  sentinelId: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional(),
});

export type TakenOver = z.infer<typeof schema>;

type Marked = Pick<UnitPaths, 'takenOver'>;

export async function markTakenOver(paths: Marked, mark: TakenOver): Promise<void> {
  await writeFileAtomic(paths.takenOver, `${JSON.stringify(mark)}\n`);
}

/** What is known of the process that was taken over here, whether it still runs or not; null for none. */
export function takenOver(paths: Marked): TakenOver | null {
  try {
    const found = schema.safeParse(JSON.parse(readFileSync(paths.takenOver, 'utf8')));
    return found.success ? found.data : null;
  } catch {
    // There is none, or half of one: without it the process is one of ours, or a stranger.
    return null;
  }
}

/** Whether the process that was taken over still runs: nothing that only a start brings has reached it. */
export function runsAsTaken(paths: Marked): boolean {
  const mark = takenOver(paths);
  return mark !== null && isRunning(mark);
}

/** How the agent reaches a member of its own host. @param place where it listens for all others, as far as that is known */
export function endpointHere(
  paths: Pick<UnitPaths, 'takenOver' | 'socket'>,
  place: Address | undefined,
): Endpoint {
  const mark = takenOver(paths);
  if (mark !== null && isRunning(mark)) return { host: mark.address, port: mark.port };
  const otherwise = place && { host: place.address, port: place.port };
  return { path: paths.socket, ...(otherwise && { otherwise }) };
}
