import { type Clock, systemClock } from '../base/clock.ts';

const leastMs = 500;

/** How many bytes a second go by, from how many there were until now. */
export class Rate {
  readonly #clock: Clock;
  #before = { bytes: 0, atMs: 0, rate: 0 };

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** @param bytes since the beginning; fewer than before when it was begun anew. */
  of(bytes: number): number {
    const atMs = this.#clock.monotonicMs();
    const { bytes: before, atMs: beforeMs, rate } = this.#before;
    if (atMs - beforeMs < leastMs) return rate;
    const now = beforeMs === 0 || bytes < before ? 0 : ((bytes - before) / (atMs - beforeMs)) * 1000;
    this.#before = { bytes, atMs, rate: now };
    return now;
  }
}
