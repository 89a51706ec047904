/** The bytes that RESP gives a meaning to. */
export const CR = 13;
export const LF = 10;
export const DOLLAR = 36;
export const STAR = 42;
export const PLUS = 43;
export const MINUS = 45;
export const COLON = 58;
export const PUSH = 62;
export const TILDE = 126;

/**
 * Reads the decimal number in `buf[from, to)` as Redis reads a length: an optional minus, then digits without a
 * leading zero or plus sign. Undefined for anything else and for what does not fit a safe integer.
 */
export function readLength(buf: Uint8Array, from: number, to: number): number | undefined {
  let pos = from;
  const negative = buf[pos] === MINUS;
  if (negative) pos++;
  if (pos >= to || to - pos > 15) return undefined;
  const first = (buf[pos] as number) - 48;
  if (first < 0 || first > 9 || (first === 0 && (to - pos > 1 || negative))) return undefined;
  let value = first;
  for (pos++; pos < to; pos++) {
    const digit = (buf[pos] as number) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Where the CR of the line that holds `from` stands before `end`, or -1. */
export function findCr(buf: Uint8Array, from: number, end: number): number {
  const at = buf.indexOf(CR, from);
  return at < 0 || at >= end ? -1 : at;
}
