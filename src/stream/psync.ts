/**
 * What is asked of a primary, and what its answer means. Pure.
 *
 * - `PSYNC <id> <offset + 1>` asks for what follows our place; `PSYNC ? -1` for everything.
 * - `+CONTINUE` goes on from there; `+CONTINUE <id>` too, and says that the history has a new name since: after a failover
 *   the new primary knows the one before as its second id.
 * - `+FULLRESYNC <id> <offset>`: an RDB follows, and then what came behind that offset.
 * - `-LOADING`, `-NOMASTERLINK`, `-MASTERDOWN`: not now.
 *
 * Source: replication.c (syncCommand, masterTryPartialResynchronization) of Redis 6.2 to 8.6.
 */
import type { Place } from './position.ts';

export type PsyncAnswer =
  | { kind: 'goes-on'; place: Place }
  | { kind: 'everything'; place: Place }
  | { kind: 'refused'; isForNow: boolean };

export function psyncRequest(place: Place | null): string[] {
  return place === null ? ['PSYNC', '?', '-1'] : ['PSYNC', place.replId, String(place.offset + 1)];
}

/** @param place what was asked for */
export function readPsyncAnswer(reply: string, place: Place | null): PsyncAnswer {
  const full = /^\+FULLRESYNC ([0-9a-f]{40}) (\d{1,16})$/.exec(reply);
  if (full) {
    return { kind: 'everything', place: { replId: full[1] as string, offset: Number(full[2]), db: 0 } };
  }
  const onward = /^\+CONTINUE(?: ([0-9a-f]{40}))?\s*$/.exec(reply);
  if (onward && place !== null)
    return { kind: 'goes-on', place: { ...place, replId: onward[1] ?? place.replId } };
  return { kind: 'refused', isForNow: /^-(LOADING|NOMASTERLINK|MASTERDOWN|BUSY|TRYAGAIN)\b/.test(reply) };
}
