import { Buffer } from 'node:buffer';
import { PUSH } from './bytes.ts';
import { type Reply, readReply } from './read.ts';
import { frameReply, REPLY_INCOMPLETE, REPLY_MALFORMED, type ReplyProgress } from './reply.ts';

const none = Buffer.alloc(0);

/**
 * Takes bytes as they arrive and gives whole replies, in bounded memory. A chunk that ends with a reply is read where it
 * lies; only what is left over is kept, in a buffer that doubles as it must. No sockets.
 *
 * `add` a chunk, then call `next` until it is false, and `take` after each that was true. Whoever stops in between adds
 * no further chunk.
 */
export class ReplyReader {
  readonly #maxBytes: number;
  readonly #progress: ReplyProgress = { missing: 0, at: 0 };
  #buf: Buffer = none;
  #start = 0;
  #end = 0;
  /** Where the reply that `next` found ends. */
  #next = 0;
  /** Whether the buffer is ours to write behind what it holds. */
  #isOwn = false;

  /** @param maxBytes of one reply, its headers included. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer): void {
    const left = this.#end - this.#start;
    if (left === 0) {
      this.#buf = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#isOwn = false;
      return;
    }
    if (!this.#isOwn || this.#end + chunk.length > this.#buf.length) this.#makeRoom(left, chunk.length);
    chunk.copy(this.#buf, this.#end);
    this.#end += chunk.length;
  }

  /** Whether a whole reply is there. @throws RangeError for what is no RESP, or longer than the bound */
  next(): boolean {
    if (this.#start === this.#end) return false;
    const next = frameReply(this.#buf, this.#start, this.#end, this.#progress);
    if (next === REPLY_MALFORMED) throw new RangeError('it sent something that is not RESP');
    const bytes = (next === REPLY_INCOMPLETE ? this.#end : next) - this.#start;
    if (bytes > this.#maxBytes) throw new RangeError(`it sent a reply of more than ${this.#maxBytes} bytes`);
    if (next === REPLY_INCOMPLETE) return false;
    this.#next = next;
    return true;
  }

  /** Whether the reply that `next` found is a push message, which answers no request. */
  get isPush(): boolean {
    return this.#buf[this.#start] === PUSH;
  }

  /** The reply that `next` found. @throws RangeError for what can't be read */
  take(raw: boolean): Reply {
    try {
      return readReply(this.#buf, this.#start, this.#next, raw);
    } catch (cause) {
      // A number that is none, or arrays within arrays without end: it came from outside, and must not end us.
      throw new RangeError('it sent something that is not RESP', { cause });
    } finally {
      this.#start = this.#next;
    }
  }

  #makeRoom(left: number, more: number): void {
    const wanted = left + more;
    const fits = this.#isOwn && wanted * 2 <= this.#buf.length;
    const target = fits ? this.#buf : Buffer.allocUnsafeSlow(Math.max(1024, wanted * 2));
    this.#buf.copy(target, 0, this.#start, this.#end);
    this.#buf = target;
    this.#start = 0;
    this.#end = left;
    this.#isOwn = true;
  }
}
