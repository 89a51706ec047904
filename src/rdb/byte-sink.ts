import { writeInteger } from './integer-text.ts';
import { copyShort, longBytes, sameViewOf, viewOf } from './short-copy.ts';

const bufferBytes = 256 * 1024;
const shortText = 64;
/** Full buffers that may wait for the disk before the producer has to wait. */
const maxWaiting = 16;

/** Where the bytes go. The buffer is used again once the promise has settled. */
export type WriteBytes = (bytes: Buffer) => Promise<void>;

/**
 * Collects bytes in large buffers and hands the full ones to a writer, one after the other, while the producer goes
 * on. Producers put bytes without waiting; from time to time they must await `drain`.
 */
export class ByteSink {
  buf: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  /** Of all of `buf`, for copyShort. */
  view: DataView = viewOf(this.buf);
  pos = 0;
  /** Bytes put so far. */
  total = 0;
  private readonly write: WriteBytes;
  private readonly free: { buf: Buffer; view: DataView }[] = [];
  private waiting = 0;
  private tail: Promise<void> = Promise.resolve();
  /** Of the last pieces; the first of them leaves half of what may wait. */
  private readonly tails: Promise<void>[] = [];
  private failure: unknown;
  private hasFailed = false;
  /** Is told of every full piece before it is written. */
  onPiece: ((buf: Buffer, end: number) => void) | undefined;

  constructor(write: WriteBytes) {
    this.write = write;
  }

  /** Makes room for `count` bytes at buf[pos]; the caller puts them and moves `pos`. */
  reserve(count: number): void {
    if (this.pos + count <= this.buf.length) return;
    this.push();
    if (count > this.buf.length) this.use(Buffer.allocUnsafeSlow(count));
  }

  copy(source: Buffer, from: number, to: number): void {
    const length = to - from;
    if (length < longBytes) {
      if (this.pos + length > this.buf.length) this.reserve(length);
      copyShort(this.view, this.pos, sameViewOf(source), from, to);
      this.pos += length;
      return;
    }
    let at = from;
    while (at < to) {
      if (this.pos === this.buf.length) this.push();
      const count = source.copy(this.buf, this.pos, at, Math.min(to, at + this.buf.length - this.pos));
      this.pos += count;
      at += count;
    }
  }

  /** All bytes of a view that is kept for the purpose: few, written again and again. */
  constant(bytes: DataView): void {
    const length = bytes.byteLength;
    if (this.pos + length > this.buf.length) this.reserve(length);
    copyShort(this.view, this.pos, bytes, 0, length);
    this.pos += length;
  }

  /** Text in ASCII only. */
  ascii(text: string): void {
    const { length } = text;
    if (this.pos + length > this.buf.length) this.reserve(length);
    if (length > shortText) {
      this.pos += this.buf.write(text, this.pos, 'latin1');
      return;
    }
    const { buf } = this;
    let pos = this.pos;
    for (let at = 0; at < length; at++) buf[pos++] = text.charCodeAt(at);
    this.pos = pos;
  }

  /** A safe integer in decimal. */
  integer(value: number): void {
    if (this.pos + 20 > this.buf.length) this.reserve(20);
    this.pos = writeInteger(this.buf, this.pos, value);
  }

  byte(value: number): void {
    if (this.pos === this.buf.length) this.push();
    this.buf[this.pos++] = value;
  }

  /** A promise to wait for, when the writer is behind or has failed; else undefined. */
  drain(): Promise<void> | undefined {
    if (this.hasFailed) return Promise.reject(this.failure);
    if (this.waiting < maxWaiting) return undefined;
    // Half of it may go on meanwhile: the disk is kept busy, and so is the producer.
    return this.tails[0]!.then(() => {
      if (this.hasFailed) throw this.failure;
    });
  }

  /** Hands on what is there, to `onPiece` before it returns. */
  handOn(): void {
    this.push();
  }

  /** Writes what is left and waits until all of it is out. */
  async flush(): Promise<void> {
    this.push();
    await this.settle();
  }

  private push(): void {
    if (this.pos === 0) return;
    const { buf, view, pos } = this;
    this.onPiece?.(buf, pos);
    this.total += pos;
    this.waiting++;
    this.tail = this.tail
      .then(() => (this.hasFailed ? undefined : this.write(buf.subarray(0, pos))))
      .then(
        () => {
          this.waiting--;
          if (buf.length === bufferBytes && this.free.length < maxWaiting) this.free.push({ buf, view });
        },
        (error: unknown) => {
          this.hasFailed = true;
          this.failure = error;
        },
      );
    this.tails.push(this.tail);
    if (this.tails.length > maxWaiting / 2) this.tails.shift();
    const next = this.free.pop();
    this.use(next?.buf ?? Buffer.allocUnsafeSlow(bufferBytes), next?.view);
    this.pos = 0;
  }

  private use(buf: Buffer, view = viewOf(buf)): void {
    this.buf = buf;
    this.view = view;
  }

  private async settle(): Promise<void> {
    await this.tail;
    if (this.hasFailed) throw this.failure;
  }
}
