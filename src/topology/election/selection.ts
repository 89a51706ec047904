/**
 * A selection says that somebody is about to take over: a Sentinel made it known (+selected-slave), or this agent is at
 * it. It is a hint with an end. A Sentinel promotes in the tick after its selection, a tenth of a second later. When the
 * one that it selected dies before, it waits for failover-timeout (sentinel.c: sentinelFailoverSendSlaveOfNoOne,
 * sentinelFailoverWaitPromotion) and then gives up. Nobody waits for that:
 *
 * 1. The selected one that is certainly gone will not take over: nothing comes of its selection, at once.
 * 2. One that was seen not to act as primary a second after its selection will not either, as far as anybody can tell; of one
 *    that does not answer this is concluded after two, in which a Sentinel that has promoted it says so.
 * 3. One that acts as primary has been promoted: the Sentinels will name it. But when this agent promoted it, and they do
 *    not within two seconds, in which each hears of it from its colleagues, they will not by themselves.
 *
 * Then the failover is nobody's reason to wait. A Sentinel that is still at it may promote the selected one after all, when
 * that one comes back: it has won the votes of its epoch, and asks nobody again. Whoever is elected meanwhile was so in a
 * later one:
 *
 * - Before it acts it looks at the selected one. If that acts as primary by then, the failover came to something: it leaves
 *   all to the Sentinel. Of two replicas that have as much it chooses the selected one (choice.ts).
 * - Its hello makes that Sentinel forget its failover (sentinelResetMasterAndChangeAddress).
 * - Should both be promoted, the later epoch is the one that is named, and the other one is made a replica before it has
 *   one of its own: with min-replicas-to-write it takes no write.
 */
import { failoverUnderWay, type MemberView, type View } from '../view.ts';

/** A Sentinel has promoted the selected one by then. */
export const promotesWithinMs = 1000;
/** A Sentinel that could not be told has heard it from its colleagues by then. */
export const takenUpWithinMs = 2000;

/** Whether nothing comes of the selection any more; false when there is none. */
export function isSelectionSpent(view: View, nowMs: number): boolean {
  const { selection, promoted } = view;
  if (selection === null) return false;
  const selected = view.members.find(({ id }) => id === selection.member);
  if (!selected || isGone(selected)) return true;
  if (!selected.reachable) return nowMs - selection.atMs >= takenUpWithinMs;
  if (selected.role !== 'primary') return selected.seenAtMs - selection.atMs >= promotesWithinMs;
  return promoted?.member === selected.id && nowMs - promoted.atMs >= takenUpWithinMs;
}

/** Who says that a failover is under way of which something may still come, in words; undefined when nobody does. */
export function failoverToWaitFor(view: View, nowMs: number): string | undefined {
  return isSelectionSpent(view, nowMs) ? undefined : failoverUnderWay(view);
}

/** Whether the selected one may have been promoted unseen: it does not answer, and nothing says that its process is gone. */
export function mayHavePromotedUnseen({ selection, members }: View): boolean {
  const selected = members.find(({ id }) => id === selection?.member);
  return selected !== undefined && !selected.reachable && !isGone(selected);
}

function isGone({ process, refuses }: MemberView): boolean {
  return process === null ? refuses : !process.running;
}
