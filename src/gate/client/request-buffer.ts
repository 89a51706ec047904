import { Buffer } from 'node:buffer';
import {
  createRequestFrame,
  frameRequest,
  INCOMPLETE,
  type RequestLimits,
  resetFrame,
  shiftFrame,
} from '../../resp/request.ts';

const noBytes = Buffer.alloc(0);

/** The most that is around the bytes of a bulk string: `$`, its length, and two line ends. */
const headerBytes = 16;

/** What one client has sent and nobody has taken yet. */
export class RequestBuffer {
  readonly frame = createRequestFrame();
  #buf: Buffer = noBytes;
  #pos = 0;
  #end = 0;
  #incomplete = false;
  /** The memory is ours, so that more may be put behind what is there. */
  #owned = false;

  get buf(): Buffer {
    return this.#buf;
  }

  /** Where the next request starts. */
  get pos(): number {
    return this.#pos;
  }

  /** One past the last byte that is there. */
  get end(): number {
    return this.#end;
  }

  /** What is there is the beginning of a request, and more is needed. */
  get incomplete(): boolean {
    return this.#incomplete;
  }

  get size(): number {
    return this.#end - this.#pos;
  }

  /** The unfinished request will have so many bytes at least, as far as it has said by now. */
  get announced(): number {
    const { left, pendingBulk, resumeAt } = this.frame;
    return left >= 0 && pendingBulk > 0 ? resumeAt - this.#pos + pendingBulk : 0;
  }

  /** A request waits here, and as far as is known it is whole. */
  get ready(): boolean {
    return !this.#incomplete && this.#pos < this.#end;
  }

  /** Takes `chunk[start, end)` as it is when nothing is left of what came before, until `keep`; else copies. */
  add(chunk: Buffer, start: number, end: number): void {
    const rest = this.#end - this.#pos;
    this.#incomplete = false;
    if (rest === 0) {
      this.#buf = chunk;
      this.#pos = start;
      this.#end = end;
      this.#owned = false;
      return;
    }
    const more = end - start;
    if (!this.#owned || this.#end + more > this.#buf.length) this.#move(rest, more);
    chunk.copy(this.#buf, this.#end, start, end);
    this.#end += more;
  }

  /** What stood before `pos` was taken. */
  take(pos: number): void {
    this.#pos = pos;
  }

  /** What is left stays, whatever becomes of the chunk that it came in. */
  keep(): void {
    if (!this.#owned && this.#pos < this.#end) this.#move(this.#end - this.#pos, 0);
  }

  /** The offset after the next request, or what frameRequest says instead. */
  next(pos: number, limits: RequestLimits): number {
    const next = frameRequest(this.#buf, pos, this.#end, this.frame, limits);
    if (next === INCOMPLETE) this.#incomplete = true;
    return next;
  }

  /** A request that is to come before what is here. */
  putBefore(request: Buffer): void {
    const rest = this.#buf.subarray(this.#pos, this.#end);
    this.#buf = rest.length === 0 ? request : Buffer.concat([request, rest]);
    this.#pos = 0;
    this.#end = this.#buf.length;
    this.#owned = true;
    this.#incomplete = false;
    resetFrame(this.frame);
  }

  /** The request in `buf[start, end)`, in memory that stays as it is. */
  lasting(buf: Buffer, start: number, end: number): Buffer {
    const alone = this.#owned && buf === this.#buf && start === 0 && end === buf.length;
    return alone ? buf : Buffer.from(buf.subarray(start, end));
  }

  clear(): void {
    this.#buf = noBytes;
    this.#pos = 0;
    this.#end = 0;
    resetFrame(this.frame);
  }

  /** Lets the memory go when everything in it was taken. */
  release(): void {
    if (this.#pos === this.#end) this.#buf = noBytes;
    if (this.#pos === this.#end) this.#pos = this.#end = 0;
  }

  /** Moves what is left to memory with room for more, so that copying stays cheap. */
  #move(rest: number, more: number): void {
    const target = Buffer.allocUnsafeSlow(this.#room(rest + more));
    this.#buf.copy(target, 0, this.#pos, this.#end);
    shiftFrame(this.frame, this.#pos);
    this.#buf = target;
    this.#pos = 0;
    this.#end = rest;
    this.#owned = true;
  }

  /**
   * Twice what is needed; of an element whose length is known, up to four times, and no more than that element takes.
   * Every move leaves behind what it copied from, until that is collected. Memory that nothing was written to yet is
   * none of the process's.
   */
  #room(needed: number): number {
    const whole = this.announced + headerBytes;
    if (whole < needed) return Math.max(1024, needed * 2);
    return Math.min(whole, Math.max(1024, needed * 4));
  }
}
