/** Integers as decimal ASCII, written into a buffer that is used again: strings made of numbers are common. */

/** Writes a safe integer at `at`; returns where it ends. At most 17 bytes are written. */
export function writeInteger(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  if (rest < 0) {
    target[next++] = 0x2d;
    rest = -rest;
  }
  if (rest <= maxInt32) return writeSmall(target, next, rest);
  // Two parts that 32 bits can hold, since arithmetic with those is many times faster: times are such numbers.
  const upper = Math.floor(rest / lowerParts);
  next = writeSmall(target, next, upper) + lowerDigits;
  let lower = rest - upper * lowerParts;
  for (let write = next - 1; write >= next - lowerDigits; write--) {
    const tenth = (lower / 10) | 0;
    target[write] = 0x30 + (lower - tenth * 10);
    lower = tenth;
  }
  return next;
}

const maxInt32 = 0x7fffffff;
const lowerDigits = 8;
const lowerParts = 10 ** lowerDigits;

/** An integer from 0 to 2^31 - 1. */
function writeSmall(target: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    target[at] = 0x30 + value;
    return at + 1;
  }
  const digits = value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : digitsOf(value);
  let rest = value;
  for (let write = at + digits - 1; write >= at; write--) {
    const tenth = (rest / 10) | 0;
    target[write] = 0x30 + (rest - tenth * 10);
    rest = tenth;
  }
  return at + digits;
}

function digitsOf(value: number): number {
  if (value < 1e5) return 5;
  if (value < 1e6) return 6;
  if (value < 1e7) return 7;
  if (value < 1e8) return 8;
  return value < 1e9 ? 9 : 10;
}

/** Writes the signed 64-bit integer whose halves are given; returns where it ends. At most 20 bytes. */
export function writeInteger64(target: Uint8Array, at: number, high: number, low: number): number {
  const value = (high | 0) * 4294967296 + (low >>> 0);
  if (Number.isSafeInteger(value)) return writeInteger(target, at, value);
  const text = ((BigInt(high | 0) << 32n) | BigInt(low >>> 0)).toString();
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index);
  return at + text.length;
}
