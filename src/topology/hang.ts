/**
 * When a process that lives is killed, so that what it does can be taken over: dead is certain, silent is not.
 *
 * - Stopped by a signal for half a second: at once, since it can't come back by itself. So is a server that has waited
 *   for its disk for that time and answered nothing.
 * - Silent for `hangAfter`: whatever it does. A server that says that it is busy (a script, loading) or paused (CLIENT
 *   PAUSE) answers, and is not killed. One that computes is busy with a slow command until then.
 * - A gate or a Sentinel that is silent for `hangAfter` likewise, but not sooner than it takes to start on a busy
 *   machine.
 */
import type { MemberView, ProcessView, View } from './view.ts';

export interface Hang {
  process: string;
  reason: string;
}

const stalledMs = 500;
const leastSilenceMs = 5000;

export function findHang(view: View, hangAfterMs: number): Hang | undefined {
  for (const { id, process } of [...view.members, ...view.sentinels, ...view.gates]) {
    if (process?.running && process.activity.stoppedMs >= stalledMs) {
      const reason = `${id} was stopped by a signal and does nothing; it is killed so that it can't come back half-alive`;
      return { process: id, reason };
    }
  }
  const member = view.members.map((each) => memberHang(each, hangAfterMs)).find((hang) => hang !== undefined);
  return member ?? helperHang(view, Math.max(hangAfterMs, leastSilenceMs));
}

// The same words each time: the loop knows by them what failed lately, and paces it.
function memberHang({ id, process, busy, silentMs, unansweredMs }: MemberView, limitMs: number) {
  if (!process?.running || busy) return undefined;
  const after = 'it is killed so that it can’t come back half-alive';
  if (process.activity.waitingMs >= stalledMs && unansweredMs >= stalledMs) {
    return { process: id, reason: `${id} waits for its disk and answers nothing; ${after}` };
  }
  if (silentMs < limitMs) return undefined;
  const why = isComputing(process)
    ? `has not answered for ${limitMs} ms, busy with one slow command`
    : `has not answered for ${limitMs} ms though its process lives`;
  return { process: id, reason: `${id} ${why}; ${after}` };
}

function helperHang(view: View, limitMs: number): Hang | undefined {
  const silent = [...view.sentinels, ...view.gates].find(
    ({ process }) => process?.running && process.silentMs >= limitMs,
  );
  if (!silent) return undefined;
  const reason = `${silent.id} has not answered for ${limitMs} ms though its process lives; it is killed and started again`;
  return { process: silent.id, reason };
}

/** Whether it has used its processor for long enough to be busy, not just starting to answer. */
export function isComputing({ activity }: Pick<ProcessView, 'activity'>): boolean {
  return activity.computingMs >= stalledMs;
}
