import { Attempts } from '../stream/attempts.ts';

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
  const attempts = new Attempts();
  while (!signal.aborted) {
    try {
      return await ask();
    } catch (error) {
      await attempts.waitBehind(error, signal, () => onWait(error));
    }
  }
  return undefined;
}
