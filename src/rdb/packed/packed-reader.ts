import { Fault } from '../fault.ts';
import { writeInteger64 } from '../integer-text.ts';

const noBytes = Buffer.alloc(0);

/**
 * Walks the elements of a packed value: a listpack, ziplist, zipmap or intset, whole in memory. Every step checks
 * that it stays inside and that the redundant parts agree, so reading to the end is also the verification.
 *
 * An element is bytes, buf[start, end), or an integer in two halves; `resolve` turns the latter into bytes.
 * Faults carry the offset within the blob.
 */
export abstract class PackedReader {
  buf: Buffer = noBytes;
  start = 0;
  end = 0;
  isInteger = false;
  high = 0;
  low = 0;

  protected data: Buffer = noBytes;
  protected first = 0;
  protected at = 0;
  protected limit = 0;
  protected count = 0;
  private readonly digits = Buffer.allocUnsafe(32);

  /** What it is called in messages. */
  protected abstract readonly name: string;

  /** Starts on data[from, to). Throws a Fault when the header is wrong. */
  open(data: Buffer, from: number, to: number): void {
    this.data = data;
    this.first = from;
    this.limit = to;
    this.count = 0;
    this.isInteger = false;
    this.openBlob();
  }

  /** Reads the header between `first` and `limit`, and puts `at` on the first element. */
  protected abstract openBlob(): void;

  /** Steps to the next element; false at the end, once everything agrees. */
  abstract next(): boolean;

  /** The number of elements that the header tells, or -1 when it does not. */
  abstract announced(): number;

  /** Makes buf[start, end) the decimal digits, when the element is an integer. */
  resolve(): void {
    if (!this.isInteger) return;
    this.buf = this.digits;
    this.start = 0;
    this.end = writeInteger64(this.digits, 0, this.high, this.low);
  }

  protected setInteger(value: number): void {
    this.isInteger = true;
    this.low = value;
    this.high = value < 0 ? -1 : 0;
  }

  protected setBytes(start: number, length: number): void {
    this.isInteger = false;
    this.buf = this.data;
    this.start = start;
    this.end = start + length;
  }

  protected fault(reason: string, at = this.at): Fault {
    return new Fault('corrupt', `${this.name}: ${reason}`, at - this.first);
  }
}
