/**
 * When a key expires, as ms of our own clock: what a server says is left counts from when it said so. Neither the time until
 * another server is told adds to it, nor when which of two was asked; and the servers' clocks need not agree.
 */

/** As `performance.now()` counts; null: never. */
export type Expiry = number | null;

/** @param ttlMs what PTTL said; below zero: it does not expire. @param saidMs when it did, where that is not just now */
export function expiryIn(ttlMs: number, saidMs = performance.now()): Expiry {
  return ttlMs < 0 ? null : saidMs + ttlMs;
}

/** What is left now: of one that is about to expire a millisecond, since 0 would be no expiry. */
export function leftMs(expiry: number): number {
  return Math.max(1, Math.round(expiry - performance.now()));
}

/** The argument of RESTORE: 0 for none. */
export function restoreTtl(expiry: Expiry): string {
  return String(expiry === null ? 0 : leftMs(expiry));
}
