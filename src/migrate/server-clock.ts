/**
 * What time it is at a server, by our own clock. What a server says is left of a key counts from when it said so, and a slow way brings
 * that seconds later; what another one is told counts from when it hears it. Its TIME lies between our question and its answer: each
 * exchange tells that more closely. So the servers' clocks need not agree.
 */
import type { Link } from '../redis/link.ts';
import type { Reply } from '../resp/read.ts';
import { pack } from './wire.ts';

export const askTime = pack([['TIME']]);

export class ServerClock {
  /** What is between our time and its: no less, and no more. */
  #least = Number.NEGATIVE_INFINITY;
  #most = Number.POSITIVE_INFINITY;

  get isKnown(): boolean {
    return this.#most < Number.POSITIVE_INFINITY;
  }

  /** A short exchange, before long ones: one in which nothing else is under way is close. What refuses stays unknown. */
  async look(link: Link): Promise<void> {
    const askedMs = performance.now();
    const [reply] = await link.exchange([askTime], 1);
    this.saw(askedMs, reply);
  }

  /**
   * @param askedMs as `performance.now()` counts. @param reply what TIME has just answered
   * @returns the server's time, ms since 1970; undefined when it said none
   */
  saw(askedMs: number, reply: Reply | undefined): number | undefined {
    const [seconds, micros] = Array.isArray(reply) ? reply.map((each) => Number(String(each))) : [];
    if (seconds === undefined || micros === undefined || !(seconds > 0)) return undefined;
    const serverMs = seconds * 1000 + micros / 1000;
    const [least, most] = [askedMs - serverMs, performance.now() - serverMs];
    // Its clock was set, or it is another server: what was known before is of no use.
    const isAnother = least > this.#most || most < this.#least;
    this.#least = isAnother ? least : Math.max(this.#least, least);
    this.#most = isAnother ? most : Math.min(this.#most, most);
    return serverMs;
  }

  /** As `performance.now()` counts. @param serverMs since 1970 */
  here(serverMs: number): number {
    return serverMs + (this.#least + this.#most) / 2;
  }

  /** The other way round. */
  there(ourMs: number): number {
    return Math.round(ourMs - (this.#least + this.#most) / 2);
  }
}
