import type { Buffer } from 'node:buffer';

/** So many are remembered, by length and first and last byte. */
const remembered = 64;
const longest = 24;

interface Known {
  bytes: Uint8Array;
  name: string;
}

/** Names of commands in small letters: a stream has few of them, millions of times. */
export class CommandNames {
  readonly #known: (Known | undefined)[] = new Array(remembered).fill(undefined);

  of(buf: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0 || length > longest) return nameIn(buf, start, end);
    const at = (length * 31 + buf[start]! * 7 + buf[end - 1]!) % remembered;
    const known = this.#known[at];
    if (known !== undefined && isSame(known.bytes, buf, start, length)) return known.name;
    const found = { bytes: Uint8Array.prototype.slice.call(buf, start, end), name: nameIn(buf, start, end) };
    this.#known[at] = found;
    return found.name;
  }
}

function isSame(bytes: Uint8Array, buf: Uint8Array, start: number, length: number): boolean {
  if (bytes.length !== length) return false;
  for (let at = 0; at < length; at++) if (bytes[at] !== buf[start + at]) return false;
  return true;
}

function nameIn(buf: Buffer, start: number, end: number): string {
  return buf.toString('latin1', start, end).toLowerCase();
}
