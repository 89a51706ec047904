import type { Buffer } from 'node:buffer';
import type { Client } from './client.ts';
import { blockedMs, type Farewell } from './farewell.ts';
import { sendAgain } from './replay.ts';
import { sendNext } from './send-next.ts';

/**
 * What of a client may go on, in its order: what is sent again, then what it asked, then its end. It stops at what has to
 * wait: for room, for the answers to everything before it, for an answer that changes what follows, or for one that the gate
 * itself is making.
 */
export class Turns {
  readonly #client: Client;
  readonly #farewell: Farewell;
  #going = false;
  #waiting = false;
  #settling = false;
  #closing = false;
  /** How to give up the answer that the gate itself is making. */
  #parked: (() => void) | null = null;

  constructor(client: Client, farewell: Farewell) {
    this.#client = client;
    this.#farewell = farewell;
  }

  /** It goes on when nothing is in flight any more. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** A request is on its way that changes what those behind it mean. */
  get settling(): boolean {
    return this.#settling;
  }

  /** An answer is on its way that the gate itself is making. */
  get parked(): boolean {
    return this.#parked !== null;
  }

  /** Nothing more is read of it, and it ends behind what was. */
  get closing(): boolean {
    return this.#closing;
  }

  wait(): void {
    this.#waiting = true;
  }

  settle(): void {
    this.#settling = true;
  }

  close(): void {
    this.#closing = true;
  }

  park(start: (done: (reply: Buffer) => void) => () => void): void {
    const client = this.#client;
    this.#parked = start((reply) => {
      this.#parked = null;
      client.deliver(reply, 0, reply.length);
      client.pump();
    });
    if (this.#farewell.heard) setTimeout(() => this.#parked !== null && client.close(), blockedMs);
  }

  /** The client is gone. */
  giveUp(): void {
    this.#parked?.();
  }

  /** Goes on as far as it can. False when that is under way already. */
  go(): boolean {
    if (this.#going) return false;
    this.#going = true;
    this.#waiting = false;
    const { flow, retries } = this.#client;
    flow.feed();
    while (!retries.collecting && this.#goOn());
    this.#going = false;
    return true;
  }

  /** True when there may be more to do at once. */
  #goOn(): boolean {
    const client = this.#client;
    if (this.#parked !== null || (!this.#closing && !this.#mayAsk())) return false;
    if (this.#settling) {
      if (!client.idle()) {
        this.#farewell.waitForAnswers();
        return false;
      }
      this.#settling = false;
    }
    if (client.retries.first !== undefined) return this.#again();
    if (this.#closing) {
      if (client.idle()) this.#farewell.finish();
      else this.#farewell.waitForAnswers();
      return false;
    }
    const { requests, router, session } = client;
    if (requests.ready) {
      const more = (session.admitted || router.admit(client)) && sendNext(client);
      // Its FIN may have come while the last that it asks waited for its turn.
      if (more || requests.ready || !this.#farewell.heard) return more;
    }
    this.#closing = this.#farewell.heard;
    return this.#closing;
  }

  /** The first of what is to be sent again, or answered behind that. */
  #again(): boolean {
    const client = this.#client;
    const { first: item } = client.retries;
    if (item === undefined) return false;
    if ('reply' in item) {
      if (!client.idle()) return false;
      client.deliver(item.reply, 0, item.reply.length);
    } else {
      const sent = sendAgain(client, item);
      client.survived(0);
      if (!sent) return false;
    }
    client.retries.shift();
    return true;
  }

  /** Whether it may have one more request under way; if not, pump is called when that is so. */
  #mayAsk(): boolean {
    const { apart, flow, output, place, inFlight } = this.#client;
    if (apart.goesOn) return true;
    if (flow.isSlow(output.unread)) return false;
    if (inFlight === 0 || flow.room(place.current?.window ?? 1, false) > 0) return true;
    flow.starve();
    return false;
  }
}
