import { Buffer } from 'node:buffer';

const startBytes = 64 * 1024;
/** A read is given at least this much room; else the rest moves to the front, or to a larger buffer. */
const roomBytes = 16 * 1024;

/**
 * The one buffer that a connection reads into. What is not consumed stays where it is and the next read goes
 * behind it, so a reply that arrives in pieces is still in one piece of memory. It shrinks back when it is empty.
 */
export class Inbox {
  buf: Buffer = Buffer.allocUnsafeSlow(startBytes);
  start = 0;
  end = 0;

  /** Where the next read goes. */
  room(): Buffer {
    if (this.start === this.end) {
      this.start = 0;
      this.end = 0;
      if (this.buf.length > startBytes * 16) this.buf = Buffer.allocUnsafeSlow(startBytes);
    } else if (this.buf.length - this.end < roomBytes) this.#makeRoom(roomBytes);
    return this.end === 0 ? this.buf : this.buf.subarray(this.end);
  }

  /** Copies a chunk in, for sockets that bring their own memory. */
  add(chunk: Buffer): void {
    if (this.start === this.end) {
      this.start = 0;
      this.end = 0;
    }
    if (this.buf.length - this.end < chunk.length) this.#makeRoom(chunk.length);
    chunk.copy(this.buf, this.end);
    this.end += chunk.length;
  }

  #makeRoom(bytes: number): void {
    const used = this.end - this.start;
    if (this.buf.length < (used + bytes) * 2) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.buf.length * 2, used + bytes));
      this.buf.copy(larger, 0, this.start, this.end);
      this.buf = larger;
    } else this.buf.copyWithin(0, this.start, this.end);
    this.start = 0;
    this.end = used;
  }
}
