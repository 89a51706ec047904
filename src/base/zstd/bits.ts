/**
 * Bits of a zstd bitstream, which is read from its end: the highest bit that is set in its last byte only marks where it
 * begins. Source: RFC 8878, sections 4.1 and 4.2.
 *
 * A stream may be asked for more than it has, since tables are looked up by a fixed number of bits: what comes then is of
 * no use, and `left` is below zero.
 */

/** So many bytes before and behind a stream have to be readable in the array that it lies in. */
export const roundBytes = 8;

export class BackwardBits {
  private readonly bytes: Uint8Array;
  private readonly start: number;
  private at: number;

  /** The stream is the bytes from `from` to before `end`. */
  constructor(bytes: Uint8Array, from: number, end: number) {
    const last = end > from ? bytes[end - 1]! : 0;
    if (last === 0) throw new Error('a bitstream has no end');
    this.bytes = bytes;
    this.start = from * 8;
    this.at = end * 8 - 8 + highestBit(last);
  }

  /** How many bits are left; below zero when more were taken than there were. */
  get left(): number {
    return this.at - this.start;
  }

  /** The next bits, at most 25 of them, which stay there. Never looks further than `roundBytes` before the stream. */
  peek(count: number): number {
    const at = Math.max(this.at - count, this.start - 32);
    const { bytes } = this;
    const byte = at >>> 3;
    const four = bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16) | (bytes[byte + 3]! << 24);
    return (four >>> (at & 7)) & ((1 << count) - 1);
  }

  skip(count: number): void {
    this.at -= count;
  }

  /** At most 25 bits. */
  take(count: number): number {
    const bits = this.peek(count);
    this.at -= count;
    return bits;
  }
}

/** The place of the highest bit that is set, 0 for the lowest; -1 for 0. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}
