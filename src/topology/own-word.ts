/**
 * Who leads where nobody votes (`topology: mirror` without Sentinels): what the members say themselves. Pure.
 *
 * A member keeps in its data whom it follows, or that it leads, and in which epoch it was told so (stream/lead-position.ts).
 *
 * 1. **The word of the highest epoch counts.** An epoch is begun by a person (`switchover`, `failover`), or by an agent, with
 *    `onSplit: serve` or when it alone starts a lead again that died (candidacy.ts), and is one above all that is known of. So a
 *    former lead that comes back leads nobody, and is told. Of two words of one epoch, as two people can begin them on two sides
 *    of a split, that of the member counts which the spec has first: for agents and gates alike.
 * 2. **Who was started again leads when its agent has told that process so** (`isSettled`, lead-on.ts), and that waits until
 *    all other members have said something since the agent began: one that is not heard may lead by now. A person need not
 *    wait.
 * 3. **Nobody says anything**: a first start. When all are heard the first of the spec leads, or the only one that has data.
 * 4. One that says nothing any more, and is named by the others, has lost its data, or executed FLUSHALL. It leads on unless it
 *    is empty and another one is not.
 */

/** What a member says. @leads the id of the one that leads. @settled false for one that leads, and was started again since */
export interface Word {
  leads: string;
  epoch: number;
  settled: boolean;
}

/** What is needed of a member. */
interface Told {
  id: string;
  word: Word | null;
}

/** Whether anybody votes on who leads. */
export function hasVoters({ sentinels }: { sentinels: readonly unknown[] }): boolean {
  return sentinels.length > 0;
}

/** Whom the members name; null when none says anything. */
export function leadByOwnWord(members: readonly Told[]): { id: string; epoch: number } | null {
  let newest: Word | null = null;
  for (const { word } of members) if (word !== null && word.epoch > (newest?.epoch ?? -1)) newest = word;
  return newest && { id: newest.leads, epoch: newest.epoch };
}

/** The highest epoch in which any of them was told. */
export function epochOfMembers(members: readonly { toldIn: number; word: Word | null }[]): number {
  return Math.max(0, ...members.flatMap((each) => [each.toldIn, each.word?.epoch ?? 0]));
}

/** Whether it says that it leads, and nobody has told so the process that it is now. */
export function ledBefore({ id, word }: Told): boolean {
  return word?.leads === id && !word.settled;
}

/** Whether the process that a member is now was told that it leads. */
export function isSettled({ id, word }: Told): boolean {
  return word?.leads === id && word.settled;
}
