import { Buffer } from 'node:buffer';
import { writeError } from '../../resp/write.ts';

/**
 * Cursors of SCAN, HSCAN, SSCAN and ZSCAN that say which server gave them.
 *
 * A cursor is a place in the hash table of one server process, which hashes with a seed of its own: anywhere else, also
 * in the same server after a restart, it leaves keys out. So the gate writes a mark of the server's run into the bits
 * that the server does not use. A table of n slots has cursors below n, and 2^35 slots would be 256 GiB of pointers.
 * The whole stays below 2^53, because some clients make a floating-point number of a cursor.
 */
const serverBits = 35;
const serverLimit = 2 ** serverBits;
/** Marks are from 1 to this. */
export const markLimit = 2 ** (53 - serverBits) - 1;

export interface Cursor {
  /** What the server is asked with. */
  place: number;
  /** The run that it belongs to; 0 for none, as at the beginning. */
  mark: number;
}

/** Null when it is no cursor that could have come from here; the server says what it thinks of it. */
export function readCursor(text: string): Cursor | null {
  if (!/^\d{1,16}$/.test(text)) return null;
  const cursor = Number(text);
  if (cursor >= 2 ** 53) return null;
  return { place: cursor % serverLimit, mark: Math.floor(cursor / serverLimit) };
}

/** Where the iteration goes on at a server with this mark: from its beginning when it began elsewhere. */
export function placeAt({ place, mark }: Cursor, server: number): number {
  return mark === server ? place : 0;
}

/** The mark of a server's run, from a name that no other run has. */
export function markOf(run: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < run.length; index++) hash = Math.imul(hash ^ run.charCodeAt(index), 0x01000193);
  return 1 + ((hash >>> 0) % markLimit);
}

/**
 * A scan's reply, `[cursor, [element…]]`, with its cursor marked. Null for any other reply, and at the end, where the
 * cursor is 0. An error when the server uses the bits that are for the mark: its cursors can't be told from those of others.
 */
export function markReply(buf: Buffer, start: number, end: number, mark: number): Buffer | null {
  const head = /^\*2\r\n\$\d+\r\n(\d+)\r\n/.exec(buf.toString('latin1', start, Math.min(end, start + 40)));
  if (head === null || head[1] === '0') return null;
  const place = Number(head[1]);
  if (place >= serverLimit)
    return writeError(`ERR the server's cursor ${head[1]} has no room for the gate's mark`);
  const cursor = String(mark * serverLimit + place);
  const rest = buf.subarray(start + head[0].length, end);
  return Buffer.concat([Buffer.from(`*2\r\n$${cursor.length}\r\n${cursor}\r\n`), rest]);
}
