/**
 * Whether a member can keep what it would take as primary. One that can't write its AOF, or that could not save on a full disk,
 * answers MISCONF to every write, and to PING (server.c, processCommand). A replica's handshake begins with PING
 * (replication.c, syncWithMaster) and ends there. So such a primary takes nothing, gets no replica that it does not have yet, and
 * Sentinels give it up. Nor can a server be started there again: it has no room for what it copies.
 */
import type { MemberView } from './view.ts';

/** The same of several, in one sentence; undefined when nothing is the matter with any. */
export function storeTroubles(members: readonly MemberView[]): string | undefined {
  const troubles = members.flatMap((member) => storeTrouble(member) ?? []);
  return troubles.length === 0 ? undefined : troubles.join('; ');
}

/** What is the matter, as a sentence; undefined when nothing is known of. Of other hosts' disks only their members' word is. */
export function storeTrouble({ id, process, storeFails }: MemberView): string | undefined {
  if (process?.noRoom) return process.noRoom;
  return storeFails ? `${id} can't write its AOF` : undefined;
}
