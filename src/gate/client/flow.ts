/**
 * How much one client may have under way, so that it makes nobody else wait, and costs neither gate nor server more
 * memory than was promised.
 *
 * **In flight.** At most 1,024 requests, a mebibyte of them, and as many as should have a mebibyte of replies, are sent
 * and not answered. The rest stays with the client: what others send goes out behind at most that much. How long the
 * answers to its reads are is not known before they come, so it may have four under way first, and twice as many each
 * time that what came was short.
 *
 * **Unread.** While 64 KiB of its replies wait to be read, nothing more is sent for it. Some clients write all they have
 * before they read anything (a long pipeline): they would wait for ever. So when it has read nothing for a moment,
 * though something of it waits, it is set apart: see apart.ts. Where that can't be (a transaction), it may have twice as
 * much unread, and so on up to 7/8 of `replyBytes`. One that has read everything starts again with 64 KiB. One that has as
 * much unread as it may, here or at the member, more to ask, and reads nothing for ten seconds never will: it is closed.
 */

const mostRequests = 1024;
const mostRequestBytes = 1024 * 1024;
const mostReplyBytes = 1024 * 1024;
const uncountedBytes = 4 * 1024;
const firstReads = 4;
const firstAllowance = 64 * 1024;
/** The client is looked at this often while it holds itself up. */
export const lookMs = 50;
const giveUpMs = 10_000;

export class Flow {
  /** Less than what closes it at once: what is in flight comes on top. */
  readonly #mostUnread: number;
  /** Requests sent and not answered, and their bytes. */
  #requests = 0;
  #requestBytes = 0;
  /** How many requests it may have under way when there are reads among them. */
  #reach = firstReads;
  #allowance = firstAllowance;
  /** What had not left for it when it was looked at last; -1 before that. */
  #pending = -1;
  #stuckMs = 0;
  #starved = false;
  #fedAt = 0;

  /** @param replyBytes what it may leave unread at most */
  constructor(replyBytes: number) {
    this.#mostUnread = (replyBytes * 7) / 8;
    this.drained();
  }

  /** It has more to send, and its turn comes when some of its requests are answered. */
  get starved(): boolean {
    return this.#starved;
  }

  /** Bytes of its requests that are sent and not answered: they are kept until then. */
  get sentBytes(): number {
    return this.#requestBytes;
  }

  /** The same, as far as it counts: so a client with a short request under way costs no bookkeeping. */
  get heldBytes(): number {
    return this.#requestBytes > uncountedBytes ? this.#requestBytes : 0;
  }

  /** So many of its requests were written. */
  sent(requests: number, bytes: number): void {
    this.#requests += requests;
    this.#requestBytes += bytes;
  }

  /** So many are answered, or lost. */
  done(requests: number, bytes: number): void {
    this.#requests -= requests;
    this.#requestBytes -= bytes;
  }

  /** So many requests, with reads among them, had so many bytes of replies. */
  learn(requests: number, replyBytes: number): void {
    const each = replyBytes / requests;
    if (each * this.#reach > mostReplyBytes) this.#reach = Math.max(1, Math.floor(mostReplyBytes / each));
    else if (this.#reach < mostRequests && each * this.#reach * 2 <= mostReplyBytes) this.#reach *= 2;
  }

  /** It can send no more now. */
  starve(): void {
    this.#starved = true;
    this.#fedAt = this.#requests / 2;
  }

  /** It tries again. */
  feed(): void {
    this.#starved = false;
  }

  /** Enough is answered for its next turn to be worth it. */
  get fed(): boolean {
    return this.#requests <= this.#fedAt && this.#requestBytes <= mostRequestBytes / 2;
  }

  /** How many requests more it may send, reads or others, on a connection that may have `window` unanswered. */
  room(window: number, reads: boolean): number {
    if (this.#requestBytes >= mostRequestBytes) return 0;
    return Math.min(reads ? this.#reach : mostRequests, Math.max(1, window)) - this.#requests;
  }

  /** It has so many bytes unread that it must read first. */
  isSlow(unread: number): boolean {
    return unread >= this.#allowance;
  }

  /** It has read everything. */
  drained(): void {
    this.#allowance = Math.min(firstAllowance, this.#mostUnread);
    this.#pending = -1;
    this.#stuckMs = 0;
  }

  /** As much as it may ever have unread. */
  get mostUnread(): number {
    return this.#mostUnread;
  }

  /** A look at a slow client, every `lookMs`. */
  look({ unread, pending, waits, hasRoom, apart }: Look): 'wait' | 'go-on' | 'apart' | 'close' {
    const stuck = pending === this.#pending;
    this.#pending = pending;
    this.#stuckMs = stuck && waits ? this.#stuckMs + lookMs : 0;
    if (!this.isSlow(unread)) return 'go-on';
    if (!stuck || !waits) return 'wait';
    const isApart = apart === 'yes' || apart === 'full';
    if (isApart ? apart === 'yes' && unread < this.#mostUnread : apart === 'can') {
      this.#stuckMs = 0;
      return isApart ? 'wait' : 'apart';
    }
    if (apart === 'no' && this.#allowance < this.#mostUnread && hasRoom) {
      this.#stuckMs = 0;
      this.#allowance = Math.min(this.#mostUnread, this.#allowance * 2);
      return this.isSlow(unread) ? 'wait' : 'go-on';
    }
    return this.#stuckMs >= giveUpMs ? 'close' : 'wait';
  }
}

/** What is seen of a slow client. */
export interface Look {
  /** The bytes that it has not read. */
  unread: number;
  /** A number that changes when it reads anything. */
  pending: number;
  /** It has more to ask. */
  waits: boolean;
  /** The gate has memory for more. */
  hasRoom: boolean;
  /** Whether it is set apart, and then as much is kept for it as may be; or could be. */
  apart: 'yes' | 'full' | 'can' | 'no';
}
