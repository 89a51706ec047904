/**
 * Asks a process that may have died a moment ago, until it answers: gates and Sentinels are started again whatever is planned
 * (operations.ts), within a second as a rule. What is asked is taken from what the process says then, so that it may be asked twice.
 */
import { errorCode } from '../../base/errors.ts';
import { hopeless, waitFor } from '../../base/retry.ts';

const everyMs = 100;

/**
 * @returns what came of it; null when it did not answer within `withinMs`
 * @throws what it answers otherwise, at once; the signal's reason when that is aborted
 */
export async function askAgain<T extends object>(
  ask: () => Promise<T>,
  { withinMs, signal }: { withinMs: number; signal: AbortSignal },
): Promise<T | null> {
  let said: unknown;
  const attempt = () =>
    ask().catch((error: Error) => {
      if (errorCode(error) === 'REDIS_UNREACHABLE') throw error;
      said = error;
      throw hopeless(error);
    });
  return waitFor(attempt, { what: 'an answer', withinMs, everyMs, signal }).catch((error) => {
    // What is asked may wait for something itself, in vain: that is an answer.
    if (error === said || errorCode(error) !== 'DEADLINE_PASSED') throw error;
    return null;
  });
}
