/** Integers as decimal ASCII, written into a buffer that is used again: strings made of numbers are common. */

/** Writes a safe integer at `at`; returns where it ends. At most 17 bytes are written. */
export function writeInteger(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  if (rest < 0) {
    target[next++] = 0x2d;
    rest = -rest;
  }
  if (rest < 10) {
    target[next] = 0x30 + rest;
    return next + 1;
  }
  let digits = 1;
  for (let bound = 10; rest >= bound; bound *= 10) digits++;
  const end = next + digits;
  let write = end - 1;
  for (; rest > 0x7fffffff; write--) {
    const tenth = Math.floor(rest / 10);
    target[write] = 0x30 + (rest - tenth * 10);
    rest = tenth;
  }
  for (; write >= next; write--) {
    const tenth = (rest / 10) | 0;
    target[write] = 0x30 + (rest - tenth * 10);
    rest = tenth;
  }
  return end;
}

/** Writes the signed 64-bit integer whose halves are given; returns where it ends. At most 20 bytes. */
export function writeInteger64(target: Uint8Array, at: number, high: number, low: number): number {
  const value = (high | 0) * 4294967296 + (low >>> 0);
  if (Number.isSafeInteger(value)) return writeInteger(target, at, value);
  const text = ((BigInt(high | 0) << 32n) | BigInt(low >>> 0)).toString();
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index);
  return at + text.length;
}
