import { type Clock, systemClock } from '../base/clock.ts';

const leastMs = 500;
/** Over so long: what is slow comes in pieces, each of which is counted when all of it is there. */
const overMs = 10_000;

/** How many bytes a second go by, from how many there were until now. */
export class Rate {
  readonly #clock: Clock;
  #seen: { bytes: number; atMs: number }[] = [];

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** @param bytes since the beginning; fewer than before when it was begun anew. */
  of(bytes: number): number {
    const atMs = this.#clock.monotonicMs();
    const last = this.#seen.at(-1);
    if (last !== undefined && bytes < last.bytes) this.#seen = [];
    if (last === undefined || atMs - last.atMs >= leastMs || this.#seen.length === 0)
      this.#seen.push({ bytes, atMs });
    // One that is as old as that stays.
    while ((this.#seen[1]?.atMs ?? atMs) <= atMs - overMs) this.#seen.shift();
    const [first, now] = [this.#seen[0]!, this.#seen.at(-1)!];
    return now.atMs === first.atMs ? 0 : ((now.bytes - first.bytes) / (now.atMs - first.atMs)) * 1000;
  }
}
