/** Runs one piece of work at a time, while the next is being prepared. */
export class OneAhead {
  #last: Promise<void> = Promise.resolve();

  /** Begins it when the one before is done, and returns then. @throws what the one before threw */
  async begin(work: () => Promise<void>): Promise<void> {
    await this.#last;
    this.#last = work();
    // Whoever begins the next, or waits for the end, learns of it.
    this.#last.catch(() => {});
  }

  /** @throws what the last threw */
  async end(): Promise<void> {
    await this.#last;
  }
}
