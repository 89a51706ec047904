import type { Clock } from '../base/clock.ts';

/** How long to wait so that no more than so many bytes a second go by. Pure but for the clock that it is given. */
export class Pace {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  #freeAtMs = 0;

  /** @param bytesPerSecond 0 for no limit. */
  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /** Counts these bytes. Returns the ms to wait before anything more. */
  waitMs(bytes: number): number {
    if (this.#bytesPerSecond === 0) return 0;
    const now = this.#clock.monotonicMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, now) + (bytes / this.#bytesPerSecond) * 1000;
    return Math.max(0, this.#freeAtMs - now);
  }
}
