/**
 * The checksum at the end of an RDB: CRC-64 with the Jones polynomial 0xad93d23594c935a9, reflected, starting at 0.
 * Source: redis src/crc64.c. The check value of '123456789' is 0xe9c6d914c4b8d9ca.
 *
 * JavaScript has no 64-bit integers that are fast, so the sum lives in two 32-bit halves, and eight bytes are
 * taken at a time with eight tables ("slicing by 8").
 */

const tableLow = new Int32Array(8 * 256);
const tableHigh = new Int32Array(8 * 256);

for (let byte = 0; byte < 256; byte++) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    const odd = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (odd) {
      low ^= 0xac4bc9b5;
      high ^= 0x95ac9329;
    }
  }
  tableLow[byte] = low;
  tableHigh[byte] = high;
}
for (let at = 256; at < 2048; at++) {
  const low = tableLow[at - 256]!;
  const high = tableHigh[at - 256]!;
  tableLow[at] = ((low >>> 8) | (high << 24)) ^ tableLow[low & 255]!;
  tableHigh[at] = (high >>> 8) ^ tableHigh[low & 255]!;
}

/** A running checksum; feed it the bytes in order, in pieces of any size. */
export class Crc64 {
  /** The lower and the upper half, as signed 32-bit integers. */
  low = 0;
  high = 0;

  update(data: Uint8Array, from = 0, to = data.length): void {
    this.updateView(new DataView(data.buffer, data.byteOffset, data.length), from, to);
  }

  /** The same, for those who have a view of the bytes already: to make one takes as long as some dozen bytes. */
  updateView(view: DataView, from: number, to: number): void {
    const lowTable = tableLow;
    const highTable = tableHigh;
    let low = this.low;
    let high = this.high;
    let at = from;
    for (; at + 8 <= to; at += 8) {
      const a = low ^ view.getInt32(at, true);
      const b = high ^ view.getInt32(at + 4, true);
      const i0 = 1792 + (a & 255);
      const i1 = 1536 + ((a >>> 8) & 255);
      const i2 = 1280 + ((a >>> 16) & 255);
      const i3 = 1024 + (a >>> 24);
      const i4 = 768 + (b & 255);
      const i5 = 512 + ((b >>> 8) & 255);
      const i6 = 256 + ((b >>> 16) & 255);
      const i7 = b >>> 24;
      low =
        lowTable[i0]! ^
        lowTable[i1]! ^
        lowTable[i2]! ^
        lowTable[i3]! ^
        lowTable[i4]! ^
        lowTable[i5]! ^
        lowTable[i6]! ^
        lowTable[i7]!;
      high =
        highTable[i0]! ^
        highTable[i1]! ^
        highTable[i2]! ^
        highTable[i3]! ^
        highTable[i4]! ^
        highTable[i5]! ^
        highTable[i6]! ^
        highTable[i7]!;
    }
    for (; at < to; at++) {
      const index = (low ^ view.getUint8(at)) & 255;
      low = ((low >>> 8) | (high << 24)) ^ lowTable[index]!;
      high = (high >>> 8) ^ highTable[index]!;
    }
    this.low = low;
    this.high = high;
  }

  /** Adds `length` bytes whose own sum, started at 0, is known: no need to look at them again. */
  append(low: number, high: number, length: number): void {
    shiftBy(this, length);
    this.low ^= low;
    this.high ^= high;
  }

  /** Writes the sum as the file has it: eight bytes, lowest first. */
  writeTo(target: Buffer, at: number): void {
    target.writeInt32LE(this.low, at);
    target.writeInt32LE(this.high, at + 4);
  }

  /** Sixteen hexadecimal digits. */
  toString(): string {
    return hexSum(this.high, this.low);
  }
}

export function hexSum(high: number, low: number): string {
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}

/**
 * x to the power of 2^n modulo the polynomial, for n from 3 (one byte) up, in the same reflected form as the sums:
 * the uppermost bit of `high` is x^0.
 */
const powersLow = new Int32Array(56);
const powersHigh = new Int32Array(56);
const product = { low: 0, high: 0 };

powersHigh[0] = 1 << 23;
for (let n = 1; n < powersLow.length; n++) {
  multiply(powersLow[n - 1]!, powersHigh[n - 1]!, powersLow[n - 1]!, powersHigh[n - 1]!);
  powersLow[n] = product.low;
  powersHigh[n] = product.high;
}

/** What the sum would be after `length` zero bytes: a product of polynomials, some microseconds for any length. */
function shiftBy(crc: Crc64, length: number): void {
  let rest = length;
  for (let n = 0; rest > 0; n++) {
    if (rest % 2 === 1) {
      multiply(powersLow[n]!, powersHigh[n]!, crc.low, crc.high);
      crc.low = product.low;
      crc.high = product.high;
    }
    rest = Math.floor(rest / 2);
  }
}

/** Puts one times other, modulo the polynomial, in `product`. */
function multiply(low: number, high: number, otherLow: number, otherHigh: number): void {
  let bLow = otherLow;
  let bHigh = otherHigh;
  let sumLow = 0;
  let sumHigh = 0;
  for (let bit = 0; bit < 64; bit++) {
    const word = bit < 32 ? high : low;
    if ((word >>> (31 - (bit & 31))) & 1) {
      sumLow ^= bLow;
      sumHigh ^= bHigh;
    }
    const odd = bLow & 1;
    bLow = (bLow >>> 1) | (bHigh << 31);
    bHigh >>>= 1;
    if (odd) {
      bLow ^= 0xac4bc9b5;
      bHigh ^= 0x95ac9329;
    }
  }
  product.low = sumLow;
  product.high = sumHigh;
}
