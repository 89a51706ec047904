/**
 * How often a process may be restarted. The first restart is at once, and so is that of a process that had run for a
 * while since the last one; for one that dies soon again and again the pause doubles each time. More than `limit` restarts
 * within the window mean that restarting does not help, and a person must look.
 */
export interface RestartRule {
  limit: number;
  withinMs: number;
}

export type RestartVerdict = { kind: 'now' } | { kind: 'wait'; untilMs: number } | { kind: 'exhausted' };

const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** Whoever ran for so long had come up well: what killed it then is something new. */
const ranWellMs = 10_000;

/**
 * @param restartsMs when it was restarted before, on the monotonic clock, oldest first.
 * @param diedMs when it died last, on the same clock.
 */
export function restartVerdict(
  restartsMs: readonly number[],
  diedMs: number,
  nowMs: number,
  rule: RestartRule,
): RestartVerdict {
  const recent = restartsMs.filter((at) => at > nowMs - rule.withinMs);
  if (recent.length >= rule.limit) return { kind: 'exhausted' };
  const last = recent.at(-1);
  const ranWell = last === undefined || diedMs - last >= ranWellMs;
  const pauseMs = ranWell ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (recent.length - 1));
  return nowMs >= diedMs + pauseMs ? { kind: 'now' } : { kind: 'wait', untilMs: diedMs + pauseMs };
}
