/**
 * The literals of a compressed block: the bytes that are not copied from before. Raw, one byte repeated, or in Huffman codes
 * in one stream or in four, by a table of its own or by that of the block before. Source: RFC 8878, section 3.1.1.3.1.
 */
import { decodeHuffman, type HuffmanTable, readHuffman } from './huffman.ts';

const raw = 0;
const repeated = 1;
const treeless = 3;
/** What stands before four streams: the lengths of three. */
const jumpBytes = 6;

export class Literals {
  private table: HuffmanTable | undefined;
  private readonly held = new Uint8Array(2 ** 17);

  beginFrame(): void {
    this.table = undefined;
  }

  /**
   * Those of the block at `from`, at most `maxBytes`, which stay until the next ones; `next` is the place behind their
   * section.
   */
  read(block: Uint8Array, from: number, end: number, maxBytes: number): { bytes: Uint8Array; next: number } {
    if (from >= end) throw new Error('a block has no literals section');
    const kind = block[from]! & 3;
    const { size, packedSize, streams, next: at } = header(block, from, kind);
    if (size > maxBytes) throw new Error(`a block has ${size} literals, more than it may`);
    const next = at + packedSize;
    if (next > end) throw new Error('a block ends within its literals');
    const bytes = this.held.subarray(0, size);
    if (kind === raw) bytes.set(block.subarray(at, next));
    else if (kind === repeated) bytes.fill(block[at]!);
    else this.decode(block, this.readTable(block, at, next, kind), next, streams, bytes);
    return { bytes, next };
  }

  /** Returns the place behind the table. */
  private readTable(block: Uint8Array, at: number, end: number, kind: number): number {
    if (kind === treeless) return at;
    const { table, next } = readHuffman(block, at, end);
    this.table = table;
    return next;
  }

  private decode(block: Uint8Array, from: number, end: number, streams: number, out: Uint8Array): void {
    const { table } = this;
    if (table === undefined) throw new Error('the first block has no table for its literals');
    if (streams === 1) {
      decodeHuffman(table, block, from, end, out);
      return;
    }
    if (from + jumpBytes > end) throw new Error('a block ends within its literals');
    const quarter = (out.length + 3) >> 2;
    let at = from + jumpBytes;
    for (let i = 0; i < streams; i++) {
      const isLast = i === streams - 1;
      const length = block[from + 2 * i]! | (block[from + 2 * i + 1]! << 8);
      const until = isLast ? end : at + length;
      if (until > end || quarter * i > out.length) throw new Error('a block ends within its literals');
      decodeHuffman(
        table,
        block,
        at,
        until,
        out.subarray(quarter * i, isLast ? undefined : quarter * (i + 1)),
      );
      at = until;
    }
  }
}

interface Header {
  size: number;
  /** Bytes in the block, behind the header. */
  packedSize: number;
  streams: number;
  next: number;
}

function header(block: Uint8Array, from: number, kind: number): Header {
  const format = (block[from]! >> 2) & 3;
  const number = (bytes: number) => {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + block[from + i]!;
    return value;
  };
  if (kind === raw || kind === repeated) {
    const length = [1, 2, 1, 3][format]!;
    const size = format % 2 === 0 ? number(1) >> 3 : number(length) >> 4;
    return { size, packedSize: kind === raw ? size : 1, streams: 1, next: from + length };
  }
  const length = [3, 3, 4, 5][format]!;
  const span = 2 ** [10, 10, 14, 18][format]!;
  const both = Math.floor(number(length) / 16);
  const streams = format === 0 ? 1 : 4;
  return { size: both % span, packedSize: Math.floor(both / span), streams, next: from + length };
}
