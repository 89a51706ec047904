import type { Buffer } from 'node:buffer';
import { DOLLAR, findCr, readLength } from './bytes.ts';

/** Where the bulk string whose header is at `at` ends; 0 when there is no whole header of one. */
export function bulkEnd(buf: Buffer, at: number, end: number): number {
  if (buf[at] !== DOLLAR) return 0;
  const cr = findCr(buf, at, end);
  const length = cr < 0 ? undefined : readLength(buf, at + 1, cr);
  return length === undefined ? 0 : cr + 2 + length + 2;
}
