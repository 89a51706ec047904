import type { Clock } from '../../base/clock.ts';

/** One missed answer may be our own pause; this many in a row are the other side's. */
const missesThatCount = 3;

/** For how long somebody that is asked again and again has answered nothing. */
export class Silence {
  readonly #clock: Clock;
  #misses = 0;
  #lastAnswerMs: number;
  #askedMs: number | null = null;
  #answersSinceMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastAnswerMs = clock.monotonicMs();
  }

  /** In ms; 0 as long as it may be our own fault. */
  get silentMs(): number {
    return this.#misses < missesThatCount ? 0 : Math.round(this.#clock.monotonicMs() - this.#lastAnswerMs);
  }

  /** How long the oldest question without an answer has waited, in ms. */
  get unansweredMs(): number {
    return this.#askedMs === null ? 0 : Math.round(this.#clock.monotonicMs() - this.#askedMs);
  }

  /** When it answered last, or began to be asked; on the monotonic clock. */
  get lastAnswerMs(): number {
    return this.#lastAnswerMs;
  }

  /** Since when each question was answered, on the monotonic clock; null while the last was not. */
  get answersSinceMs(): number | null {
    return this.#answersSinceMs;
  }

  asked(): void {
    this.#askedMs ??= this.#clock.monotonicMs();
  }

  answered(): void {
    this.#misses = 0;
    this.#askedMs = null;
    this.#lastAnswerMs = this.#clock.monotonicMs();
    this.#answersSinceMs ??= this.#lastAnswerMs;
  }

  missed(): void {
    this.#misses += 1;
    this.#answersSinceMs = null;
  }
}
