/**
 * A replica whose link to the primary is up for both of them, and over which nothing comes any more. What a fault of the network
 * swallowed TCP sends again after 0.2 s, and each time after twice as long: of a fault of 7 s the last time is 6.2 s after its
 * beginning, and the next 12.6. Redis gives a link up after `repl-timeout`, a minute. So the agent of its host has the replica
 * connect anew, and it goes on where it stopped.
 *
 * A link is dead when nothing has come over it for some seconds though the primary had something for it, and answers this
 * agent: the network is whole between the two hosts.
 */
import { actingPrimary, followsMember, type MemberView, type View } from './view.ts';

export interface DeadLink {
  member: string;
  primary: string;
  reason: string;
}

/** Redis tells it in seconds of its clock: so much is two seconds at least. */
const silentMs = 3000;
/** At earlier looks the primary had more than it has now: a delay of a second is none. */
const behindMs = 1500;

/** The first replica of this host whose link is dead. */
export function findDeadLink(view: View): DeadLink | undefined {
  const primary = actingPrimary(view);
  if (primary === null || primary.busy !== null || primary.unansweredMs > 0) return undefined;
  const found = view.members.find((member) => isDead(member, primary));
  if (found === undefined) return undefined;
  const seconds = Math.floor(found.linkSilentMs / 1000);
  const silent = `nothing has come to ${found.id} for ${seconds} s over its link to the primary ${primary.id}`;
  const reason = `${silent}, which answers and has something for it: it connects anew`;
  return { member: found.id, primary: primary.id, reason };
}

function isDead(member: MemberView, primary: MemberView): boolean {
  const { process, reachable, busy, role, linkUp, syncing } = member;
  const answers = process?.running === true && reachable && busy === null;
  if (!answers || role !== 'replica' || !linkUp || syncing || !followsMember(member, primary)) return false;
  const missed = primary.offset - member.offset;
  // More than the primary keeps comes over this link, or with a copy of everything.
  const comesAnew = primary.backlogBytes === 0 || missed < primary.backlogBytes;
  return member.linkSilentMs >= silentMs && member.behindMs >= behindMs && missed > 0 && comesAnew;
}
