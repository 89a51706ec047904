import { openFilesLimit } from '../../base/open-files.ts';

/** Kept for the gate's own: its ports, log, control socket, and the questions to members and Sentinels. */
const mostReserve = 64;

/**
 * Whether one more client fits into the files that a process may have open. Clients and connections to servers are such files;
 * out of them, the gate could not ask who is primary, and would let nobody in whom it has a place for.
 */
export class Room {
  readonly #limit: number;
  readonly #taken: () => number;

  /** @param taken how many clients and connections there are. @param limit files; null where nobody knows */
  constructor(taken: () => number, limit: number | null = openFilesLimit()) {
    this.#taken = taken;
    this.#limit =
      limit === null ? Number.POSITIVE_INFINITY : limit - Math.min(mostReserve, Math.floor(limit / 4));
  }

  get isFull(): boolean {
    return this.#taken() >= this.#limit;
  }

  /** What is to be known when so many clients are allowed and do not fit; null when they do. */
  shortFor(clients: number): string | null {
    if (clients <= this.#limit) return null;
    return `limits.clients is ${clients}, and ${this.#limit} clients and connections to servers fit into the files that this process may open (ulimit -n): who comes then is refused`;
  }
}
