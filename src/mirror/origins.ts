/**
 * Where the data of a server came from, by mirrors: one string under `holdfast:stream:mirrored-from`, in database 0 of each
 * mirror's target, among the positions of streams, which nobody takes for data of theirs. It travels on where the target is
 * mirrored itself. So whoever begins a mirror sees at its source all those whose writes arrive there, over however many
 * steps; when its target is one of them, writes would go round for ever.
 *
 * A server is known by its history's id (`master_replid`), which a failover changes: the one before counts too.
 */
import { z } from 'zod';
import { commonPrefixes, type KeyPrefixes } from '../base/key-prefixes.ts';

export const originsKey = 'holdfast:stream:mirrored-from';

const historyId = z.string().regex(/^[0-9a-f]{40}$/);
const originsSchema = z.record(
  z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  z.object({ history: historyId, prefixes: z.array(z.string().min(1)) }),
);

/** The id of a mirror's stream, with the history of its source, and which keys come from there. */
export type Origins = Readonly<Record<string, Origin>>;
interface Origin {
  history: string;
  prefixes: KeyPrefixes;
}

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
export function withOrigin(atTarget: Origins, atSource: Origins, id: string, own: Origin): string {
  const further = Object.entries(atSource).flatMap(([each, { history, prefixes }]) => {
    const common = commonPrefixes(prefixes, own.prefixes);
    return common === undefined ? [] : [[each, { history, prefixes: common }]];
  });
  return JSON.stringify({ ...atTarget, ...Object.fromEntries(further), [id]: own });
}

/**
 * The mirror by which the target's writes to these keys arrive at the source; undefined when there is none. Two places that
 * mirror each other's own keys make no loop.
 */
export function loopThrough(
  atSource: Origins,
  targetHistories: readonly string[],
  prefixes: KeyPrefixes,
): string | undefined {
  return Object.entries(atSource).find(
    ([, origin]) =>
      targetHistories.includes(origin.history) && commonPrefixes(origin.prefixes, prefixes) !== undefined,
  )?.[0];
}
