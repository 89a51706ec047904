const patienceMs = 500;
const restMs = 5000;

/**
 * For how long slow readers may hold up others: all of them together, on all connections, half a second in five and a half.
 * Else each that comes would make who uses the connection then wait for half a second more.
 */
export class Patience {
  #until = Number.NEGATIVE_INFINITY;

  /** Until when, in monotonic ms, one that turns out to be slow now may hold up others; it may be over. */
  from(nowMs: number): number {
    if (nowMs >= this.#until + restMs) this.#until = nowMs + patienceMs;
    return this.#until;
  }
}
