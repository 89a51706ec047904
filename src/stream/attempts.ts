import { pause } from '../base/retry.ts';
import { pauseBehind } from './next-step.ts';

/** Attempts at what may be refused or broken for a while: behind each that was in vain there is a longer pause. */
export class Attempts {
  #inVain = 0;

  /** One came to something. */
  noteSuccess(): void {
    this.#inVain = 0;
  }

  /**
   * Waits before the next one; no longer than until the signal is aborted.
   * @param onWait is told before, when there is to be a next one
   * @throws the error itself, when no later attempt could change it
   */
  async waitBehind(error: unknown, signal: AbortSignal, onWait: () => void): Promise<void> {
    const waitMs = pauseBehind(error, this.#inVain++);
    if (waitMs === undefined) throw error;
    onWait();
    await pause(waitMs, signal).catch(() => {});
  }
}
