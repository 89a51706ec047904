import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { Pace } from './pace.ts';
import type { Run } from './run.ts';
import type { RunRing } from './run-ring.ts';

const segmentBytes = 64 * 1024;

interface Segment {
  bytes: Buffer;
  filled: number;
  written: number;
}

const newSegment = (bytes: number): Segment => ({
  bytes: Buffer.allocUnsafeSlow(bytes),
  filled: 0,
  written: 0,
});

/**
 * What goes to one upstream connection: copied into segments, and written at most once per turn of the event loop,
 * at the pace that pays: see pace.ts. The copy stays until its replies have come (a Run refers to it), so a segment
 * is not written over before that. When one is full, another one is taken: the oldest, if nothing in it is wanted any more,
 * because that is in the processor's cache.
 */
export class Outbox {
  readonly #ring: RunRing;
  readonly #socket: Duplex;
  readonly #pace = new Pace();
  #segment = newSegment(0);
  /** Those before it that are not all written. */
  #full: Segment[] = [];
  /** The memory of those before it that runs may refer to, in the order of the ring. */
  #used: Buffer[] = [];
  #scheduled = false;
  #closed = false;
  #now = 0;

  /** @param ring holds the runs of what is added here, in order */
  constructor(ring: RunRing, socket: Duplex) {
    this.#ring = ring;
    this.#socket = socket;
  }

  /** Monotonic ms of this turn of the event loop, or near it. */
  get now(): number {
    return this.#now;
  }

  /**
   * Puts `buf[start, end)` behind what is there, as the bytes of the ring's last run: a copy, unless it is long and `lasts`,
   * so that nobody changes it.
   */
  add(run: Run, buf: Buffer, start: number, end: number, lasts = false): void {
    const length = end - start;
    if (lasts && length > segmentBytes) this.#adopt(run, buf.subarray(start, end));
    else this.#copy(run, buf, start, end);
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#now = performance.now();
      flushSoon(this);
    }
    this.#pace.collect(this.#now);
  }

  /** This turn of the event loop has read what there was to read. */
  flush(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    this.#now = performance.now();
    if (this.#pace.waits(this.#now, this.#ring.size)) {
      this.#scheduled = true;
      flushSoon(this);
    } else this.#write(this.#pace.window);
  }

  /** Writes everything now: what is written to the socket next comes behind it. */
  flushAll(): void {
    if (!this.#closed) this.#write(Number.POSITIVE_INFINITY);
  }

  /** Replies of so many bytes to so many requests were taken off the ring. */
  answered(requests: number, bytes: number): void {
    this.#pace.answered(requests, bytes);
    const ring = this.#ring;
    // One is enough to go on with.
    if (ring.size === 0 && this.#used.length > 1) this.#used.splice(0, this.#used.length - 1);
    if (ring.sent === ring.size || this.#scheduled || this.#closed) return;
    const { window } = this.#pace;
    // Few large writes are better than many small ones, here too.
    if (ring.requestsSent <= window / 2) this.#write(window);
  }

  /** How many requests may be written and not answered. */
  get window(): number {
    return this.#pace.window;
  }

  /** Runs that were not written are gone from the ring: what is left of them moves together. */
  compact(): void {
    const ring = this.#ring;
    const left = Array.from({ length: ring.size - ring.sent }, (_, index) => ring.at(ring.sent + index));
    const bytes = left.reduce((total, run) => total + run.end - run.start, 0);
    const segment = newSegment(Math.max(segmentBytes, bytes));
    for (const run of left) {
      const at = segment.filled;
      (run.bytes as Buffer).copy(segment.bytes, at, run.start, run.end);
      segment.filled += run.end - run.start;
      run.lieIn(segment.bytes, at, segment.filled);
    }
    this.#full = [];
    this.#leave(segment);
  }

  /** Nothing is written any more. */
  close(): void {
    this.#closed = true;
  }

  #copy(run: Run, buf: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.#segment.filled + length > this.#segment.bytes.length) this.#renew(this.#another(length));
    const segment = this.#segment;
    const at = segment.filled;
    buf.copy(segment.bytes, at, start, end);
    segment.filled += length;
    run.lieIn(segment.bytes, at, segment.filled);
  }

  /** A segment that is full. */
  #adopt(run: Run, bytes: Buffer): void {
    this.#drain();
    this.#renew({ bytes, filled: bytes.length, written: 0 });
    run.lieIn(bytes, 0, bytes.length);
  }

  #write(window: number): void {
    const ring = this.#ring;
    const { sent } = ring;
    this.#pace.wrote(this.#now, ring.size);
    while (ring.sent < ring.size) {
      const { count } = ring.at(ring.sent);
      if (ring.sent > 0 && ring.requestsSent + count > window) break;
      ring.markSent();
    }
    if (ring.sent > sent) this.#writeUpTo(ring.at(ring.sent - 1));
  }

  #writeUpTo({ bytes, end }: Run): void {
    let first = this.#full[0];
    while (first !== undefined) {
      const isLast = first.bytes === bytes;
      this.#writeSegment(first, isLast ? end : first.filled);
      if (isLast && end < first.filled) return;
      this.#full.shift();
      if (isLast) return;
      first = this.#full[0];
    }
    // A run without bytes may lie at the end of a segment that was written whole.
    if (this.#segment.bytes === bytes) this.#writeSegment(this.#segment, end);
  }

  #writeSegment(segment: Segment, end: number): void {
    if (end > segment.written) this.#socket.write(segment.bytes.subarray(segment.written, end));
    segment.written = end;
  }

  #renew(segment: Segment): void {
    if (this.#segment.filled > this.#segment.written) this.#full.push(this.#segment);
    this.#leave(segment);
  }

  #leave(next: Segment): void {
    this.#used.push(this.#segment.bytes);
    this.#segment = next;
  }

  /** Lets go of what no run refers to any more. @returns the last of that */
  #drain(): Buffer | undefined {
    const oldest = this.#ring.find((run) => run.bytes !== null)?.bytes;
    let free: Buffer | undefined;
    while (this.#used.length > 0 && this.#used[0] !== oldest) free = this.#used.shift();
    return free;
  }

  #another(bytes: number): Segment {
    const free = this.#drain();
    // What was answered was written, unless the server answers what it has not read.
    const isWritten = this.#socket.writableLength === 0;
    if (free?.length === segmentBytes && bytes <= segmentBytes && isWritten)
      return { bytes: free, filled: 0, written: 0 };
    return newSegment(Math.max(segmentBytes, bytes));
  }
}

interface Flushable {
  flush(): void;
}

let dirty: Flushable[] = [];

/** Has `flush` called when this turn of the event loop has read what there was to read. */
function flushSoon(outbox: Flushable): void {
  if (dirty.length === 0) setImmediate(flushAll);
  dirty.push(outbox);
}

function flushAll(): void {
  const list = dirty;
  dirty = [];
  for (const outbox of list) outbox.flush();
}
