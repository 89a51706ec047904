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
  readonly #mostBytes: number;
  #memory: Resizable | null = null;
  #bytes = new Uint8Array();
  #size = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Copies `chunk` behind what is there: false when that is more than there may be, or the system has no memory for it. */
  add(chunk: Buffer): boolean {
    const size = this.#size + chunk.length;
    if (size > this.#mostBytes || !this.#growTo(size)) return false;
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
    this.#memory?.resize(0);
  }

  #growTo(size: number): boolean {
    if (size <= (this.#memory?.byteLength ?? 0)) return true;
    try {
      if (this.#memory === null) {
        this.#memory = new ResizableBuffer(0, { maxByteLength: this.#mostBytes });
        this.#bytes = new Uint8Array(this.#memory);
      }
      this.#memory.resize(Math.min(this.#mostBytes, Math.ceil(size / stepBytes) * stepBytes));
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }
}
