/**
 * The most that there was of something at one time, in this second and the one before it: whoever looks once a second
 * misses none, and many may look. Pure.
 */
const spanMs = 1000;

export class RecentMost {
  #span = Number.NEGATIVE_INFINITY;
  #most = 0;
  #before = 0;

  note(many: number, nowMs: number): void {
    this.#moveTo(nowMs);
    if (many > this.#most) this.#most = many;
  }

  /** @param many how many there are now: what has lasted for long is no less of it. */
  read(many: number, nowMs: number): number {
    this.note(many, nowMs);
    return Math.max(this.#most, this.#before);
  }

  #moveTo(nowMs: number): void {
    const span = Math.floor(nowMs / spanMs);
    if (span === this.#span) return;
    this.#before = span === this.#span + 1 ? this.#most : 0;
    this.#most = 0;
    this.#span = span;
  }
}
