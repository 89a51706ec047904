import { Buffer } from 'node:buffer';

const stepBytes = 64 * 1024;

/** `ArrayBuffer` as ES2024 has it, and Node from version 20 on. */
type Resizable = ArrayBuffer & { resize(bytes: number): void };
const ResizableBuffer = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => Resizable;

/**
 * Bytes that come in pieces, in memory that grows where it is and is given back at once. An ordinary buffer would have to be
 * copied into a larger one again and again, and what it was copied from is the process's until it is collected: a third of
 * everything that many clients bring at the same time. Only addresses are reserved for what may still come.
 */
export class GrowingBytes {
  readonly #memory: Resizable;
  readonly #bytes: Uint8Array;
  #size = 0;

  /** @throws RangeError when the system has no such range of addresses */
  constructor(mostBytes: number) {
    this.#memory = new ResizableBuffer(0, { maxByteLength: mostBytes });
    this.#bytes = new Uint8Array(this.#memory);
  }

  get size(): number {
    return this.#size;
  }

  /** Copies `chunk` behind what is there: false when that would be more than there may be. */
  add(chunk: Buffer): boolean {
    const size = this.#size + chunk.length;
    if (size > this.#memory.byteLength) {
      const { maxByteLength } = this.#memory as unknown as { maxByteLength: number };
      if (size > maxByteLength) return false;
      this.#memory.resize(Math.min(maxByteLength, Math.ceil(size / stepBytes) * stepBytes));
    }
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
    return true;
  }

  /** All of it, in memory as long as it is; here nothing is left. */
  take(): Buffer {
    const whole = Buffer.allocUnsafeSlow(this.#size);
    whole.set(this.#bytes.subarray(0, this.#size));
    this.clear();
    return whole;
  }

  /** Gives the memory back. */
  clear(): void {
    this.#size = 0;
    this.#memory.resize(0);
  }
}
