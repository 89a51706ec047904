/** Of what pages ask for each second: many of them cost little more than one. */
export const sharedMs = 250;

/** An answer that costs something is kept for a while, and those who ask meanwhile wait for the same one. */
export class Remembered<T> {
  readonly #make: () => Promise<T>;
  readonly #forMs: number;
  readonly #nowMs: () => number;
  #kept: { answer: Promise<T>; atMs: number } | null = null;

  constructor(make: () => Promise<T>, forMs: number, nowMs: () => number) {
    this.#make = make;
    this.#forMs = forMs;
    this.#nowMs = nowMs;
  }

  /** @param withinMs an older answer is not good enough. */
  get(withinMs = this.#forMs): Promise<T> {
    const { answer, atMs } = this.#kept ?? {};
    if (answer !== undefined && atMs !== undefined && this.#nowMs() - atMs < withinMs) return answer;
    const kept = { answer: this.#make(), atMs: this.#nowMs() };
    this.#kept = kept;
    // A failure is told to those who wait for it, and asked again after.
    kept.answer.catch(() => {
      if (this.#kept === kept) this.#kept = null;
    });
    return kept.answer;
  }

  forget(): void {
    this.#kept = null;
  }
}
