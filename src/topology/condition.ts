/**
 * How a member, a Sentinel or a gate is, in a word of its own for each thing that can be the matter, and what is known of
 * why. For people, and for what they ask by: nothing is decided by it. Pure.
 *
 * - starting: its process runs, and that process has not answered yet.
 * - loading: it answers that it reads its data.
 * - busy: its process works and serves nobody: a script, CLIENT PAUSE, one slow command.
 * - hung: it answered before, its process lives, and nothing shows that it works.
 * - down: no process listens there.
 * - unreachable: it is on another host and does not answer; whether its process lives is not known from here. Or it
 *   answers, and does not let this agent in.
 * - syncing, disconnected: a replica that copies everything from its primary, or has no link to it.
 * - unassigned: a Sentinel that answers, and watches no primary of this deployment.
 * - failed, refused: it is not started: its restarts are used up, or it would cost data.
 */
import { isComputing, isStopped, leastSilenceMs, patienceWith, waitsForDisk } from './hang.ts';
import type { GateView, MemberView, SentinelView } from './view.ts';

export const memberStates = [
  ...(['starting', 'loading', 'up', 'syncing', 'disconnected', 'busy'] as const),
  ...(['hung', 'down', 'unreachable', 'failed', 'refused'] as const),
] as const;
export const sentinelStates = [
  ...(['starting', 'up', 'tilt', 'unassigned', 'hung', 'down', 'unreachable', 'failed'] as const),
] as const;
export const gateStates = ['starting', 'open', 'holding', 'refusing', 'hung', 'down', 'failed'] as const;
export type MemberState = (typeof memberStates)[number];
export type SentinelState = (typeof sentinelStates)[number];
export type GateState = (typeof gateStates)[number];

export interface Condition<State extends string> {
  state: State;
  /** What is known of why, a clause without its name; null when the word says all. */
  reason: string | null;
  /** For how long, in ms, as far as that is known. */
  forMs: number | null;
}

/** Between two looks: a connection that broke so long ago says that a process ended, not that it hangs. */
const lookMs = 1000;

export function memberCondition(member: MemberView, nowMs: number): Condition<MemberState> {
  const { process, reachable, busy, role } = member;
  if (process?.failed) return failed;
  if (process?.refusal) return { state: 'refused', reason: process.refusal.reason, forMs: null };
  if (process && !process.running) return ended(process.diedAtMs, nowMs);
  if (process && isStopped(process)) return stopped(process.activity.stoppedMs);
  if (reachable && busy) {
    const forMs = Math.max(0, nowMs - busy.sinceMs);
    if (busy.code === 'loading') return { state: 'loading', reason: 'it reads its data', forMs };
    return { state: 'busy', reason: busyReasons[busy.code], forMs };
  }
  if (reachable && member.locksOut !== null) return lockedOut(member.locksOut, member.lastAnswer, nowMs);
  const silence = silenceOf(member, nowMs);
  if (process && silence !== null) return silentMember(member, silence);
  if (!reachable) return farMember(member, nowMs);
  if (role === 'replica' && !member.linkUp) {
    return member.syncing
      ? { state: 'syncing', reason: 'it copies everything from its primary', forMs: null }
      : { state: 'disconnected', reason: 'it has no link to its primary', forMs: null };
  }
  return { state: 'up', reason: null, forMs: null };
}

const busyReasons = {
  script: 'a script or function runs, and it answers nothing else (BUSY)',
  paused: 'its clients are paused (CLIENT PAUSE)',
} as const;

const failed = {
  state: 'failed',
  reason: 'its restarts are used up; nothing is tried until a person acts',
  forMs: null,
} as const;

function ended(diedAtMs: number | null, nowMs: number): Condition<'down'> {
  const forMs = diedAtMs === null ? null : Math.max(0, nowMs - diedAtMs);
  return { state: 'down', reason: 'its process does not run', forMs };
}

function stopped(forMs: number): Condition<'hung'> {
  return { state: 'hung', reason: 'it was stopped by a signal', forMs };
}

/** Of a member that does not let the agent in. */
export const howToLetIn = 'ACL LOAD at it, or a new start, brings back the users of its file';

function lockedOut(
  said: string,
  lastAnswer: MemberView['lastAnswer'],
  nowMs: number,
): Condition<MemberState> {
  const reason = `it runs, and does not let this agent ask how it is (${said}): what is known of it is old. ${howToLetIn}`;
  const forMs = lastAnswer === null ? null : Math.max(0, nowMs - lastAnswer.atMs);
  return { state: 'unreachable', reason, forMs };
}

/** For how long it has answered nothing; null while it answers in time. */
function silenceOf({ reachable, unansweredMs, seenAtMs }: MemberView, nowMs: number): number | null {
  if (reachable && unansweredMs < lookMs) return null;
  return Math.max(0, nowMs - seenAtMs);
}

/** One of this host, whose process runs. */
function silentMember(member: MemberView, forMs: number): Condition<MemberState> {
  const process = member.process as NonNullable<MemberView['process']>;
  if (member.role === null && forMs < patienceWith(process, false, leastSilenceMs)) {
    return { state: 'starting', reason: 'it has not answered yet', forMs };
  }
  if (isComputing(process)) {
    const reason = 'it computes and does not answer: one slow command keeps it busy';
    return { state: 'busy', reason, forMs };
  }
  if (member.refuses || forMs < lookMs) return { state: 'down', reason: 'its connection broke', forMs };
  return silent(waitsForDisk(process), forMs);
}

function silent(isWaiting: boolean, forMs: number): Condition<'hung'> {
  const why = isWaiting ? 'waits for its disk' : 'lives';
  return { state: 'hung', reason: `it does not answer, though its process ${why}`, forMs };
}

function farMember({ refuses, lastAnswer }: MemberView, nowMs: number): Condition<MemberState> {
  const forMs = lastAnswer === null ? null : Math.max(0, nowMs - lastAnswer.atMs);
  if (refuses) return { state: 'down', reason: 'nobody listens at its address', forMs };
  return { state: 'unreachable', reason: 'it does not answer this host', forMs };
}

export function sentinelCondition(sentinel: SentinelView, nowMs: number): Condition<SentinelState> {
  const { process, reachable, tilt, answeredAtMs } = sentinel;
  if (process?.failed) return failed;
  if (process && !process.running) return ended(process.diedAtMs, nowMs);
  if (process && isStopped(process)) return stopped(process.activity.stoppedMs);
  if (reachable) {
    const reason = tilt ? 'its clock jumped or it stood still: it acts on nothing for 30 s (TILT)' : null;
    return { state: tilt ? 'tilt' : 'up', reason, forMs: null };
  }
  if (sentinel.watchesNothing) {
    const reason = 'it answers, and watches no primary of this deployment';
    return { state: 'unassigned', reason, forMs: null };
  }
  if (process) return silentHelper(process);
  const forMs = answeredAtMs === null ? null : Math.max(0, nowMs - answeredAtMs);
  return { state: 'unreachable', reason: 'it does not answer this host', forMs };
}

export function gateCondition({ process, state, reason }: GateView, nowMs: number): Condition<GateState> {
  if (process?.failed) return failed;
  if (process && !process.running) return ended(process.diedAtMs, nowMs);
  if (process && isStopped(process)) return stopped(process.activity.stoppedMs);
  if (state !== 'down') return { state, reason, forMs: null };
  if (process) return silentHelper(process);
  if (reason !== null) return { state: 'hung', reason, forMs: null };
  return { state, reason: 'nobody answers there', forMs: null };
}

/** A Sentinel or a gate of this host, whose process runs. */
function silentHelper(process: NonNullable<SentinelView['process']>): Condition<'starting' | 'hung'> {
  const { answered, silentMs } = process;
  const forMs = silentMs === 0 ? null : silentMs;
  if (!answered && silentMs < patienceWith(process, false, leastSilenceMs)) {
    return { state: 'starting', reason: 'it has not answered yet', forMs };
  }
  return silent(process.activity.waitingMs > 0, forMs ?? 0);
}
