import { pause } from '../../base/retry.ts';
import type { Link } from '../../redis/link.ts';

/** So many requests at most are passed on before the member is asked again. */
const mostRequests = 16 * 1024;
const leastRequests = 64;
const settleMs = 1;
const fullLookMs = 25;

/** What CLIENT LIST says that a member keeps of one connection's replies, in bytes; null when it does not say. */
export function keptReplies(list: string): number | null {
  const found = /(?:^| )omem=(\d+)/.exec(list)?.[1];
  return found === undefined ? null : Number(found);
}

/**
 * What a member keeps of the replies of one connection that nobody reads, so that one client can't take all of its
 * memory. The member is asked (`CLIENT LIST ID`) each time that some requests were passed on: again and again until its answer
 * stays the same, because then it has executed them. How much they made it keep says how many may be next. Who may not
 * ask passes on whatever comes: what the member's own `client-output-buffer-limit` allows is kept there then.
 */
export class Backlog {
  readonly #open: () => Link;
  readonly #id: number;
  readonly #limitBytes: number;
  readonly #onRoom: () => void;
  #link: Link | null = null;
  #room = mostRequests;
  #passed = 0;
  #keptBytes = 0;
  /** The most that one request made it keep, on the average of those that were passed on together. */
  #eachBytes = 1;
  #looking = false;
  #stopped = false;
  #full = false;

  /** @param id what the member calls the connection; `onRoom` is called when there is room again */
  constructor(open: () => Link, id: number, limitBytes: number, onRoom: () => void) {
    this.#open = open;
    this.#id = id;
    this.#limitBytes = limitBytes;
    this.#onRoom = onRoom;
  }

  /** The member keeps as much as it may. */
  get full(): boolean {
    return this.#full;
  }

  /** How many requests may be passed on now. When none may, the member is being asked. */
  get room(): number {
    return this.#room;
  }

  passed(requests: number): void {
    this.#room = Math.max(0, this.#room - requests);
    this.#passed += requests;
    if (this.#room === 0 && !this.#looking) void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#link?.close();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    this.#room = await this.#settled();
    this.#looking = false;
    if (!this.#stopped) this.#onRoom();
  }

  async #settled(): Promise<number> {
    for (let before = -1; ; ) {
      const bytes = await this.#ask();
      if (bytes === null || this.#stopped) return Number.POSITIVE_INFINITY;
      this.#full = bytes >= this.#limitBytes;
      if (bytes === before && !this.#full) return this.#roomAt(bytes);
      before = bytes;
      await pause(this.#full ? fullLookMs : settleMs);
    }
  }

  #roomAt(bytes: number): number {
    this.#eachBytes = Math.max(this.#eachBytes, (bytes - this.#keptBytes) / Math.max(1, this.#passed));
    this.#keptBytes = bytes;
    this.#passed = 0;
    const room = Math.floor((this.#limitBytes - bytes) / this.#eachBytes);
    return Math.min(mostRequests, Math.max(leastRequests, room));
  }

  async #ask(): Promise<number | null> {
    this.#link ??= this.#open();
    return this.#link.call(['CLIENT', 'LIST', 'ID', this.#id]).then(
      (list) => keptReplies(String(list)),
      // It may not be asked, or is gone; then so is the connection.
      () => null,
    );
  }
}
