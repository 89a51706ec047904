/** Signals that end work: who listens to one, and for how long. */
import { setMaxListeners } from 'node:events';

/**
 * Calls `listener` once the signal is aborted, at once if it is already.
 * @returns what takes the listener away. Whoever is done calls it: a signal may last as long as the process.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    listener();
    return () => {};
  }
  letManyListen(signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/** As many may listen as there are streams, hosts or waits that it ends: Node warns of the eleventh. */
function letManyListen(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}
