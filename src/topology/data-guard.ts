/**
 * What keeps an empty server from wiping full ones. A replica takes over its primary's data whole, so:
 *
 * - A member whose data is gone from disk starts as primary only when nobody else can have any: no other member is
 *   known to hold keys, and a majority of all members, itself included, is known to be empty. A server that loads
 *   or can't be asked is not known to be empty. This holds for a host that was rebuilt, too.
 * - A member whose files are known to lack what it had (an old RDB, an AOF that could not be written) starts as primary only
 *   when no other member that ran on holds data: it would set those back.
 * - A member with data on disk does not start as the replica of an empty primary, unless that one carries on the
 *   history that the data is of: then someone emptied the database on purpose. Once refused, it stays so until another
 *   is primary or a person acts: a few new keys there don't make the old data worthless.
 */
import { actingPrimary, type MemberView, type RefusalCode, type View } from './view.ts';

/** What would be lost if a member started as primary. */
export interface Harm {
  code: Extract<RefusalCode, 'would-wipe' | 'would-set-back'>;
  /** Who would lose it. */
  members: readonly MemberView[];
  /** The end of a sentence. */
  text: string;
}

/** Who may hold data that this member would wipe as an empty primary; empty when nobody. */
export function possibleHolders(view: View, member: MemberView): MemberView[] {
  const others = view.members.filter(({ id }) => id !== member.id);
  const holders = others.filter(({ keys }) => (keys ?? 0) > 0);
  if (holders.length > 0) return holders;
  const unknown = others.filter((other) => !isKnownEmpty(other));
  const accountedFor = view.members.length - unknown.length;
  return accountedFor >= Math.floor(view.members.length / 2) + 1 ? [] : unknown;
}

/** What would be lost if a dead member started as primary; undefined when nothing would. */
export function harmAsPrimary(view: View, member: MemberView): Harm | undefined {
  const others = view.members.filter(({ id }) => id !== member.id);
  if (member.dataIntact) {
    const ahead = member.dataStale ? others.filter(({ keys, synced }) => (keys ?? 0) > 0 && synced) : [];
    if (ahead.length === 0) return undefined;
    const text = `what it has on disk is older than what it had, and as primary it would make ${list(ahead)} copy that`;
    return { code: 'would-set-back', members: ahead, text };
  }
  const holders = possibleHolders(view, member);
  if (holders.length === 0) return undefined;
  const text = holders.some(({ keys }) => (keys ?? 0) > 0)
    ? `it has no data on disk, and as an empty primary it would wipe ${list(holders)}`
    : `it has no data on disk, and ${list(holders)} can't be asked for theirs: as an empty primary it would wipe that`;
  return { code: 'would-wipe', members: holders, text };
}

/** The empty primary that would wipe this member, if it followed it; undefined when there is no such danger. */
export function emptyPrimaryOver(view: View, member: MemberView): MemberView | undefined {
  const primary = actingPrimary(view);
  const { kept } = member;
  if (!primary || primary.id === member.id) return undefined;
  const refusal = member.process?.refusal;
  const wasRefused = refusal?.code === 'would-be-wiped' && refusal.about.includes(primary.id);
  if (!isKnownEmpty(primary) && !wasRefused) return undefined;
  if (kept === null || kept.keys === 0 || primary.histories.includes(kept.history)) return undefined;
  return primary;
}

function list(members: readonly MemberView[]): string {
  return members.map(({ id }) => id).join(', ');
}

function isKnownEmpty({ reachable, busy, keys }: MemberView): boolean {
  return reachable && !busy && keys === 0;
}
