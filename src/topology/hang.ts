/**
 * When a process that lives is killed, so that what it does can be taken over: dead is certain, silent is not.
 *
 * - Stopped by a signal for half a second: at once, since it can't come back by itself; also during a planned change.
 * - A primary that has waited for its disk for half a second and answered nothing, while a replica can take over that does
 *   not wait for its own. Any other that waits for its disk has `hangAfter`: a kill would not make the disk faster, and what
 *   is started again reads everything from it.
 * - Silent for `hangAfter`: whatever it does. A server that says that it is busy (a script, loading) or paused (CLIENT
 *   PAUSE) answers, and is not killed. One that computes is busy with a slow command until then.
 * - Deposed and deaf for `hangAfter`: the Sentinels have replaced it, and it can't be told to follow the new primary,
 *   because a script that has written (nothing ends it but a kill) or a pause keeps it from it. One that was busy before
 *   this agent began to ask has not said what it is: it counts as a primary unless it was a replica when it last said so.
 * - A gate or a Sentinel that is silent for `hangAfter` likewise, but for five seconds at least.
 * - One that this agent has started and that has answered nothing since is not known to hang: it has twenty seconds. On a host
 *   that starts everything at once a server may take longer than `hangAfter` to say its first word, and would be killed for it until
 *   its restarts are used up.
 */
import { isEligible } from './eligibility.ts';
import { isReplaced, type MemberView, namedPrimary, type ProcessView, type View } from './view.ts';

/**
 * It was stopped by a signal, waits for its disk, computes (a slow command), is silent for no reason that shows, or was
 * replaced and does nothing that it is told.
 */
export type HangCode = 'stopped' | 'waits-for-disk' | 'computing' | 'silent' | 'deposed';

export interface Hang {
  process: string;
  code: HangCode;
  reason: string;
}

const stalledMs = 500;
export const leastSilenceMs = 5000;
/** Within this it says something, if it ever does. A server listens before it loads its data. */
const firstWordMs = 20_000;

export function findHang(view: View, hangAfterMs: number): Hang | undefined {
  const stopped = findStopped(view);
  if (stopped) return stopped;
  const member = view.members
    .map((each) => memberHang(view, each, hangAfterMs))
    .find((hang) => hang !== undefined);
  return member ?? helperHang(view, Math.max(hangAfterMs, leastSilenceMs));
}

export function findStopped(view: View): Hang | undefined {
  const all = [...view.members, ...view.sentinels, ...view.gates];
  const stopped = all.find(({ process }) => process && isStopped(process));
  if (!stopped) return undefined;
  const { id } = stopped;
  const reason = `${id} was stopped by a signal and does nothing; it is killed so that it can't come back half-alive`;
  return { process: id, code: 'stopped', reason };
}

/** It was stopped by a signal, for long enough that nobody is about to let it go on. */
export function isStopped({ running, activity }: ProcessView): boolean {
  return running && activity.stoppedMs >= stalledMs;
}

/** A primary that was replaced and is too busy to hear of it, for as long as a silent one is waited for. */
export function findDeaf(view: View, hangAfterMs: number, nowMs: number): Hang | undefined {
  if (view.namedSinceMs === null || nowMs - view.namedSinceMs < hangAfterMs) return undefined;
  const deaf = view.members.find(
    (member) =>
      member.process?.running &&
      member.reachable &&
      member.busy &&
      mayBePrimary(member) &&
      isReplaced(view, member),
  );
  if (!deaf) return undefined;
  const { id } = deaf;
  const reason = `${id} can't be told that the primary is ${namedPrimary(view)?.id}: for ${hangAfterMs} ms it was busy with a script, a pause or loading; it is killed, and follows when it is started again`;
  return { process: id, code: 'deposed', reason };
}

function mayBePrimary({ role, lastRole }: MemberView): boolean {
  return role === 'primary' || (role === null && lastRole !== 'replica');
}

export function waitsForDisk({ activity }: Pick<ProcessView, 'activity'>): boolean {
  return activity.waitingMs >= stalledMs;
}

/** Whether it is the primary, and another member can take over whose disk is not slow, too. */
function hasHeir(view: View, { id }: MemberView): boolean {
  if (namedPrimary(view)?.id !== id) return false;
  return view.members.some(
    (each) => each.id !== id && isEligible(each) && !(each.process && waitsForDisk(each.process)),
  );
}

function memberHang(view: View, member: MemberView, limitMs: number): Hang | undefined {
  const { id, process, role, busy, silentMs, unansweredMs } = member;
  if (!process?.running || busy) return undefined;
  const after = 'it is killed so that it can’t come back half-alive';
  if (waitsForDisk(process) && unansweredMs >= stalledMs && hasHeir(view, member)) {
    const reason = `${id} waits for its disk and answers nothing; ${after}`;
    return { process: id, code: 'waits-for-disk', reason };
  }
  const patienceMs = patienceWith(process, role !== null, limitMs);
  if (silentMs < patienceMs) return undefined;
  const code = isComputing(process) ? 'computing' : 'silent';
  const why = code === 'computing' ? ', busy with one slow command' : ' though its process lives';
  return { process: id, code, reason: `${id} has not answered for ${patienceMs} ms${why}; ${after}` };
}

function helperHang(view: View, limitMs: number): Hang | undefined {
  for (const { id, process } of [...view.sentinels, ...view.gates]) {
    if (!process?.running) continue;
    const patienceMs = patienceWith(process, process.answered, limitMs);
    if (process.silentMs < patienceMs) continue;
    const reason = `${id} has not answered for ${patienceMs} ms though its process lives; it is killed and started again`;
    return { process: id, code: 'silent', reason };
  }
  return undefined;
}

/** How long one may be silent, ms. @param answered whether it has said anything yet, to this agent */
export function patienceWith({ startedHere }: ProcessView, answered: boolean, limitMs: number): number {
  return startedHere && !answered ? Math.max(limitMs, firstWordMs) : limitMs;
}

/** Whether it has used its processor for long enough to be busy, not just starting to answer. */
export function isComputing({ activity }: Pick<ProcessView, 'activity'>): boolean {
  return activity.computingMs >= stalledMs;
}
