/**
 * How long a copy by SCAN takes still. Keys come in an order that has nothing to do with how long their values are: so the rest
 * takes, for each key, what those so far took. That is right as far as many of them had a part in it. Where a few long values make
 * up most of it nobody can tell how many more come, and nobody does.
 *
 * Several are under way at a time, over a slow way for long: so it counts from when the first have come, and only when as much
 * time has gone by since as they took.
 *
 * How many had a part is (sum of lengths)² / sum of their squares: all of them when they are equally long, one when one is longer
 * than all others together. The error is about one divided by the root of that.
 */
import { type Clock, systemClock } from '../../base/clock.ts';

/** What was gone through together. */
export interface GoneThrough {
  /** Keys, those that are not carried among them. */
  gone: number;
  /** Those that are. */
  keys: number;
  /** Of their values. */
  bytes: number;
}

const leastMs = 500;
/** An error of less than a fifth. */
const fewestPart = 30;
/** What a key costs besides its value. */
const bytesOfKey = 100;

export class TimeLeft {
  readonly #clock: Clock;
  readonly #of: number;
  readonly #beganMs: number;
  /** When the first had come, and how many those were. */
  #first: { atMs: number; gone: number } | undefined;
  #gone = 0;
  #sum = 0;
  #squares = 0;

  /** @param of how many keys there are about */
  constructor(of: number, clock: Clock = systemClock) {
    this.#of = of;
    this.#clock = clock;
    this.#beganMs = clock.monotonicMs();
  }

  saw({ gone, keys, bytes }: GoneThrough): void {
    this.#gone += gone;
    if (this.#first === undefined) {
      this.#first = { atMs: this.#clock.monotonicMs(), gone };
      return;
    }
    const cost = bytes + keys * bytesOfKey + (gone - keys);
    this.#sum += cost;
    // Of those that came together nobody knows more than how long they are on average.
    this.#squares += gone === 0 ? 0 : cost ** 2 / gone;
  }

  /** In seconds; null when nobody can tell. */
  get seconds(): number | null {
    if (this.#first === undefined) return null;
    const { atMs, gone } = this.#first;
    const tookMs = this.#clock.monotonicMs() - atMs;
    if (tookMs < Math.max(leastMs, atMs - this.#beganMs) || this.#gone === gone) return null;
    if (this.#sum ** 2 < fewestPart * this.#squares) return null;
    return Math.round((Math.max(0, this.#of - this.#gone) * tookMs) / 1000 / (this.#gone - gone));
  }
}
