import { Buffer } from 'node:buffer';

const startBytes = 64 * 1024;
/** A connection whose reads fill what they are given gets up to this much: fewer reads, fewer replies in pieces. */
const busyBytes = 512 * 1024;
/** More than this is let go when it is empty. */
const keptBytes = 1024 * 1024;
/** A read is given at least this much room; else the rest moves to the front, or to a larger buffer. */
const roomBytes = 16 * 1024;

/**
 * The one buffer that a connection reads into. What is not consumed stays where it is and the next read goes
 * behind it, so a reply that arrives in pieces is still in one piece of memory. It shrinks back when it is empty.
 */
export class Inbox {
  #buf: Buffer = Buffer.allocUnsafeSlow(startBytes);
  #start = 0;
  #end = 0;
  #given = 0;
  #busy = false;
  #lent = false;

  get buf(): Buffer {
    return this.#buf;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  /** Where the next read goes. */
  room(): Buffer {
    const used = this.#end - this.#start;
    if (used === 0) {
      this.#start = 0;
      this.#end = 0;
    }
    if (this.#lent) this.#replace(this.#buf.length);
    else if (used === 0 && this.#buf.length > keptBytes) this.#replace(startBytes);
    else if (this.#busy && this.#buf.length < busyBytes) this.#replace(busyBytes);
    else if (this.#buf.length - this.#end < roomBytes) this.#makeRoom(roomBytes);
    this.#busy = false;
    const room = this.#end === 0 ? this.#buf : this.#buf.subarray(this.#end);
    this.#given = room.length;
    return room;
  }

  /** So much was read into the room. */
  received(bytes: number): void {
    this.#end += bytes;
    this.#busy = bytes === this.#given;
  }

  /** Copies a chunk in, for sockets that bring their own memory. */
  add(chunk: Buffer): void {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
    if (this.#lent) this.#replace(Math.max(this.#buf.length, this.#end - this.#start + chunk.length));
    if (this.#buf.length - this.#end < chunk.length) this.#makeRoom(chunk.length);
    chunk.copy(this.#buf, this.#end);
    this.#end += chunk.length;
  }

  /** What stood before `pos` was looked at. */
  taken(pos: number): void {
    this.#start = pos;
  }

  /** Somebody still reads from this memory: what comes next goes elsewhere. */
  lend(): void {
    this.#lent = true;
  }

  #makeRoom(bytes: number): void {
    const used = this.#end - this.#start;
    if (this.#buf.length < (used + bytes) * 2) {
      this.#replace(Math.max(this.#buf.length * 2, used + bytes));
      return;
    }
    this.#buf.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = used;
  }

  #replace(bytes: number): void {
    const fresh = Buffer.allocUnsafeSlow(bytes);
    this.#buf.copy(fresh, 0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    this.#buf = fresh;
    this.#lent = false;
  }
}
