import { onAbort } from './abort.ts';
import type { AlarmClock } from './clock.ts';
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
 * @throws DEADLINE_PASSED when `withinMs` is over; what was hopeless; the signal's reason as soon as it is aborted, also while an
 * attempt is under way: whoever hangs keeps nobody.
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
      const result = await unlessAborted(attempt(), options.signal);
      if (result !== undefined && result !== false) return result;
      lastError = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error.cause;
      options.signal?.throwIfAborted();
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

/** What it gives, if it comes before the signal is aborted: nobody waits for it then. @throws the signal's reason */
export async function unlessAborted<T>(what: Promise<T> | T, signal?: AbortSignal): Promise<T> {
  if (!signal || !(what instanceof Promise)) return what;
  let stop = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = onAbort(signal, () => reject(signal.reason));
  });
  return Promise.race([what, aborted]).finally(stop);
}

/** Waits for that long. @throws the signal's reason when it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stopListening();
      resolve();
    }, ms);
    const stopListening = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal?.reason);
    });
  });
}

/** Waits until it is over, and no longer than that. What it came to is for whoever has it. */
export async function within(clock: AlarmClock, ms: number, what: Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.after(ms, resolve);
    void what.finally(() => {
      cancel();
      resolve();
    });
  });
}
