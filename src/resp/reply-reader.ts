import { Buffer } from 'node:buffer';
import { DOLLAR, findCr, PUSH, readLength } from './bytes.ts';
import { OverlongReply, type Reply, readReply } from './read.ts';
import { frameReply, REPLY_INCOMPLETE, REPLY_MALFORMED, type ReplyProgress } from './reply.ts';

const none = Buffer.alloc(0);
/** Bulk strings, bulk errors and verbatim strings. */
const hasLength = new Set([DOLLAR, 0x21, 0x3d]);
const queued = Buffer.from('+QUEUED\r\n');
/** So many are compared in one go. */
const atATime = 512;
const manyQueued = Buffer.from(queued.toString().repeat(atATime));

/**
 * Takes bytes as they arrive and gives whole replies, in bounded memory. A chunk that ends with a reply is read where it
 * lies; only what is left over is kept, in a buffer that doubles as it must. A reply may be longer than somebody wants to hold:
 * then its bytes are passed over as they come. No sockets.
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
  /** Of a reply that is passed over: bytes of it that went by; -1 when there is none. And how many more go by unseen. */
  #passed = -1;
  #unseen = 0;

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

  /**
   * Whether a whole reply is there.
   * @param heldBytes a reply that is longer and not there yet is passed over; `take` gives an `OverlongReply` for it
   * @throws RangeError for what is no RESP, or longer than the bound
   */
  next(heldBytes = Number.POSITIVE_INFINITY): boolean {
    if (this.#passed >= 0) return this.#pass();
    if (this.#start === this.#end) return false;
    const next = frameReply(this.#buf, this.#start, this.#end, this.#progress);
    if (next === REPLY_MALFORMED) throw malformed();
    const bytes = (next === REPLY_INCOMPLETE ? this.#end : next) - this.#start;
    if (bytes > this.#maxBytes) throw new RangeError(`it sent a reply of more than ${this.#maxBytes} bytes`);
    this.#next = next;
    if (next !== REPLY_INCOMPLETE) return true;
    if (bytes <= heldBytes || this.isPush) return false;
    this.#passed = 0;
    return this.#pass();
  }

  /**
   * Goes past replies that say QUEUED, up to so many, without making anything of them: a transaction of thousands of commands
   * has thousands. Not between `next` and `take`. One that has come in part is left to `next`.
   * @returns how many
   */
  passQueued(most: number): number {
    if (this.#passed >= 0 || this.#progress.missing > 0) return 0;
    let count = 0;
    for (let many = atATime; many === atATime; ) {
      many = Math.min(most - count, atATime, Math.floor((this.#end - this.#start) / queued.length));
      const bytes = many * queued.length;
      if (this.#buf.compare(manyQueued, 0, bytes, this.#start, this.#start + bytes) !== 0) break;
      this.#start += bytes;
      count += many;
    }
    while (count < most && this.#isQueued()) {
      this.#start += queued.length;
      count++;
    }
    return count;
  }

  #isQueued(): boolean {
    const behind = this.#start + queued.length;
    return behind <= this.#end && this.#buf.compare(queued, 0, queued.length, this.#start, behind) === 0;
  }

  /** Whether the reply that `next` found is a push message, which answers no request. */
  get isPush(): boolean {
    return this.#passed < 0 && this.#buf[this.#start] === PUSH;
  }

  /** How many of its bytes are held. */
  get bytes(): number {
    return this.#passed >= 0 ? 0 : this.#next - this.#start;
  }

  /** The reply that `next` found. @throws RangeError for what can't be read */
  take(raw: boolean): Reply {
    if (this.#passed >= 0) {
      const passed = new OverlongReply(this.#passed);
      this.#passed = -1;
      return passed;
    }
    try {
      return readReply(this.#buf, this.#start, this.#next, raw);
    } catch (cause) {
      // A number that is none, or arrays within arrays without end: it came from outside, and must not end us.
      throw new RangeError('it sent something that is not RESP', { cause });
    } finally {
      this.#start = this.#next;
    }
  }

  /** Goes on with a reply of which nothing is kept. @returns whether all of it went by */
  #pass(): boolean {
    for (;;) {
      const here = Math.min(this.#unseen, this.#end - this.#start);
      this.#unseen -= here;
      this.#drop(here);
      if (this.#unseen > 0) return false;
      if (this.#progress.missing === 0) return true;
      const next = frameReply(this.#buf, this.#start, this.#end, this.#progress);
      if (next === REPLY_MALFORMED) throw malformed();
      if (next !== REPLY_INCOMPLETE) {
        this.#drop(next - this.#start);
        return true;
      }
      this.#drop(this.#progress.at);
      this.#progress.at = 0;
      // Where it stopped either a line is not whole yet, or a string is.
      const cr = findCr(this.#buf, this.#start + 1, this.#end - 1);
      if (cr < 0 || !hasLength.has(this.#buf[this.#start]!)) return false;
      this.#unseen = cr + 2 - this.#start + (readLength(this.#buf, this.#start + 1, cr) ?? 0) + 2;
      this.#progress.missing--;
    }
  }

  #drop(bytes: number): void {
    this.#start += bytes;
    this.#passed += bytes;
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

function malformed(): RangeError {
  return new RangeError('it sent something that is not RESP');
}
