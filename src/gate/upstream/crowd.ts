/** Who is not read from. */
interface Waiting {
  resume(): void;
}

/** Requests are kept until they are answered, so that they can be sent again: this much on one connection. */
const fullBytes = 32 * 1024 * 1024;

/** How much on one connection is unanswered, and who is not read from because it is too much. */
export class Crowd {
  #bytes = 0;
  readonly #waiting = new Set<Waiting>();

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** So much was answered, or will never be sent. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#waiting.size > 0 && !this.full) this.#letIn();
  }

  /** The connection is gone. */
  clear(): void {
    this.#bytes = 0;
    this.#letIn();
  }

  get full(): boolean {
    return this.#bytes > fullBytes;
  }

  /** The same; then `client.resume` is called when it is no longer full, or gone. */
  isFullFor(client: Waiting): boolean {
    if (this.full) this.#waiting.add(client);
    return this.full;
  }

  #letIn(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const client of waiting) client.resume();
  }
}
