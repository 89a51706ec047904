import { Buffer } from 'node:buffer';
import { writeRequest } from '../resp/write.ts';
import type { CommandFramer } from './command-framer.ts';

/** Commands one behind the other, in memory that grows as it must. */
export class ByteGatherer {
  #buf: Buffer;
  #used = 0;

  /** @param expected about how many bytes will come. */
  constructor(expected: number) {
    this.#buf = Buffer.allocUnsafeSlow(expected);
  }

  get length(): number {
    return this.#used;
  }

  addFrom(framer: CommandFramer): void {
    this.#reserve(framer.bytes);
    this.#used = framer.copyTo(this.#buf, this.#used);
  }

  add(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#used += bytes.copy(this.#buf, this.#used);
  }

  addCommand(args: readonly (Buffer | string)[]): void {
    this.add(writeRequest(args));
  }

  /** What was gathered in [from, to). Shares its memory. */
  slice(from: number, to: number): Buffer {
    return this.#buf.subarray(from, to);
  }

  #reserve(more: number): void {
    const wanted = this.#used + more;
    if (wanted <= this.#buf.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buf.length * 2, wanted));
    this.#buf.copy(larger, 0, 0, this.#used);
    this.#buf = larger;
  }
}
