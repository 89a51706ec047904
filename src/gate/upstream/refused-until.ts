import type { Buffer } from 'node:buffer';

const minus = 0x2d;
const lineFeed = 0x0a;

/**
 * The end of the error replies that `buf[start, end)` begins with; `start` when it begins with something else. The last of
 * them may have come in part.
 */
export function refusedUntil(buf: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && buf[at] === minus) {
    const last = buf.indexOf(lineFeed, at);
    if (last < 0 || last >= end) return end;
    at = last + 1;
  }
  return at;
}
