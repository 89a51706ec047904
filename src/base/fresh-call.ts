/**
 * A question that is asked one at a time, and whose answer is always younger than the wish for it: whoever asks while one
 * is under way gets the next, shared with all who asked meanwhile.
 */
export class FreshCall {
  readonly #ask: () => Promise<void>;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** @param ask never throws: no answer is an answer too. */
  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
  }

  /** Resolves when a call has ended that began after this one was made. */
  make(): Promise<void> {
    if (this.#running === null) return this.#begin();
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#begin();
    });
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#running = this.#ask().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }
}
