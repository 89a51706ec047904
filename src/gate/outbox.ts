import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';

const segmentBytes = 64 * 1024;

/**
 * What goes to one upstream connection: copied into segments, and written once per turn of the event loop. The
 * copy stays until its replies have come (a Run refers to it), so a segment is never written over; a new one is
 * taken when it is full.
 */
export class Outbox {
  /** The segment, and the place in it, that the last `add` used. */
  segment: Buffer = Buffer.allocUnsafeSlow(0);
  #filled = 0;
  #flushed = 0;
  #full: Buffer[] = [];

  /** Copies `buf[start, end)` behind what is there and returns its offset in `segment`. */
  add(buf: Buffer, start: number, end: number): number {
    const length = end - start;
    if (this.#filled + length > this.segment.length) {
      this.#seal();
      this.segment = Buffer.allocUnsafeSlow(Math.max(segmentBytes, length));
    }
    const offset = this.#filled;
    buf.copy(this.segment, offset, start, end);
    this.#filled += length;
    return offset;
  }

  /** Writes everything that was added since the last time. */
  flush(socket: Duplex): void {
    for (const full of this.#full) socket.write(full);
    this.#full = [];
    if (this.#filled > this.#flushed) {
      socket.write(this.segment.subarray(this.#flushed, this.#filled));
      this.#flushed = this.#filled;
    }
  }

  #seal(): void {
    if (this.#filled > this.#flushed) this.#full.push(this.segment.subarray(this.#flushed, this.#filled));
    this.#filled = 0;
    this.#flushed = 0;
  }
}

interface Flushable {
  flush(): void;
}

let dirty: Flushable[] = [];

/** Has `flush` called when this turn of the event loop has read what there was to read. */
export function flushSoon(outbox: Flushable): void {
  if (dirty.length === 0) setImmediate(flushAll);
  dirty.push(outbox);
}

function flushAll(): void {
  const list = dirty;
  dirty = [];
  for (const outbox of list) outbox.flush();
}
