/**
 * Where the data of a server came from, by mirrors: one string under `holdfast:stream:mirrored-from`, in database 0 of
 * each mirror's target, among the positions of streams, which nobody takes for data of theirs. It travels on where the target is mirrored itself. So whoever begins a mirror sees at its
 * source all those whose writes arrive there, over however many steps; when its target is one of them, writes would go
 * round for ever.
 *
 * A server is known by its history's id (`master_replid`), which a failover changes: the one before counts too.
 */
import { z } from 'zod';

export const originsKey = 'holdfast:stream:mirrored-from';

const historyId = z.string().regex(/^[0-9a-f]{40}$/);
const originsSchema = z.record(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/), historyId);

/** The id of a mirror's stream, with the history of its source. */
export type Origins = Readonly<Record<string, string>>;

/** What is no list of origins says nothing: it is written anew. */
export function parseOrigins(text: string | null): Origins {
  if (text === null) return {};
  try {
    return originsSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

/** @param atTarget what is there already, from other mirrors and from where the target's data came before. */
export function withOrigin(atTarget: Origins, atSource: Origins, id: string, replId: string): string {
  return JSON.stringify({ ...atTarget, ...atSource, [id]: replId });
}

/** The mirror by which the target's writes arrive at the source; undefined when there is none. */
export function loopThrough(atSource: Origins, targetHistories: readonly string[]): string | undefined {
  return Object.entries(atSource).find(([, replId]) => targetHistories.includes(replId))?.[0];
}
