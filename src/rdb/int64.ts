/**
 * Integers of 64 bits as two halves of 32, the way the bytes of a file have them: a number is exact only below 2^53, and
 * a bigint for every key takes longer than all the rest. Bigints are for what is seldom, and for people.
 */

/** Nearest to it; exact below 2^53. */
export function nearestNumber(high: number, low: number): number {
  return high * 4294967296 + (low >>> 0);
}

export function bigintOf(high: number, low: number): bigint {
  return (BigInt(high | 0) << 32n) | BigInt(low >>> 0);
}

export function highHalf(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}

export function lowHalf(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** Whether one signed integer is below another. */
export function isBelow(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low >>> 0 < otherLow >>> 0);
}

/** Puts the nearest double where that is exact, and the integer itself where it is not. */
export function putExact(target: Buffer, at: number, value: bigint): void {
  const near = Number(value);
  if (Number.isSafeInteger(near)) target.writeDoubleLE(near, at);
  else target.writeBigInt64LE(value, at);
}
