import { setTimeout as delay } from 'node:timers/promises';
import { defineError, errorText } from './errors.ts';

const DeadlinePassed = defineError('DEADLINE_PASSED', 1);

export interface WaitOptions {
  /** What is waited for, to complete the sentence "gave up waiting for …". */
  what: string;
  /** How long to go on trying, in ms. */
  withinMs: number;
  /** Pause between two tries, in ms; 20 unless given. */
  everyMs?: number;
  signal?: AbortSignal;
}

class Hopeless extends Error {}

/** What an attempt throws when what is waited for can't come any more. @param cause what the wait then throws. */
export function hopeless(cause: Error): Error {
  return new Hopeless(cause.message, { cause });
}

/**
 * Calls `attempt` until it returns something other than undefined or false, and returns that. What it throws
 * counts as "not yet", and the last such error becomes the cause when time runs out; what is `hopeless` ends the wait.
 * @throws DEADLINE_PASSED when `withinMs` is over; what was hopeless; the signal's reason when it is aborted.
 */
export async function waitFor<T>(
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + options.withinMs;
  let lastError: unknown;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const result = await attempt();
      if (result !== undefined && result !== false) return result;
      lastError = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error.cause;
      lastError = error;
    }
    if (performance.now() >= deadline) {
      const why = lastError === undefined ? '' : `: ${errorText(lastError)}`;
      throw DeadlinePassed(`gave up after ${options.withinMs} ms waiting for ${options.what}${why}`, {
        cause: lastError,
      });
    }
    await pause(options.everyMs ?? 20, options.signal);
  }
}

/** Waits for that long. @throws the signal's reason when it is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
}
