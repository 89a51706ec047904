/**
 * How often a process may be restarted. The pause before each restart doubles; more than `limit` restarts within
 * the window means that restarting does not help, and a person must look.
 */
export interface RestartRule {
  limit: number;
  withinMs: number;
}

export type RestartVerdict = { kind: 'now' } | { kind: 'wait'; untilMs: number } | { kind: 'exhausted' };

const firstPauseMs = 200;
const longestPauseMs = 10_000;

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
  const recent = restartsMs.filter((at) => at > nowMs - rule.withinMs).length;
  if (recent >= rule.limit) return { kind: 'exhausted' };
  const pauseMs = recent === 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (recent - 1));
  return nowMs >= diedMs + pauseMs ? { kind: 'now' } : { kind: 'wait', untilMs: diedMs + pauseMs };
}
