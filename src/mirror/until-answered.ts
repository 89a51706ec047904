import { pause } from '../base/retry.ts';
import { pauseBehind } from '../stream/next-step.ts';

/**
 * Asks again for as long as what keeps it from being answered may pass; undefined when the signal was aborted before.
 * @param onWait is told each time why it waits
 * @throws what does not pass
 */
export async function untilAnswered<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  onWait: (error: unknown) => void = () => {},
): Promise<T | undefined> {
  for (let inVain = 0; !signal.aborted; inVain++) {
    try {
      return await ask();
    } catch (error) {
      const waitMs = pauseBehind(error, inVain);
      if (waitMs === undefined) throw error;
      onWait(error);
      await pause(waitMs, signal).catch(() => {});
    }
  }
  return undefined;
}
