/**
 * The Huffman codes of a block's literals. A code's length is told by a weight: 0 is a byte that does not occur, otherwise
 * the code has `longest + 1 - weight` bits. The last weight is not written: it is what fills up the code. Codes of lower
 * weights come first, and bytes of one weight in their order. Source: RFC 8878, section 4.2.
 */
import { BackwardBits, highestBit } from './bits.ts';
import { FseState, readTable } from './fse.ts';

export interface HuffmanTable {
  /** Bits of the longest code; the table is looked up by as many. */
  longest: number;
  bytes: Uint8Array;
  bits: Uint8Array;
}

/** A code is at most 11 bits long. */
const maxBits = 11;
const maxWeights = 255;
const directFrom = 128;

/** Reads the description of a table; `next` is the place behind it. */
export function readHuffman(
  bytes: Uint8Array,
  from: number,
  end: number,
): { table: HuffmanTable; next: number } {
  if (from >= end) throw new Error('a block ends within its literals');
  const head = bytes[from]!;
  const count = head - directFrom + 1;
  const length = count > 0 ? (count + 1) >> 1 : head;
  const next = from + 1 + length;
  if (next > end) throw new Error('a block ends within its literals');
  const weights = count > 0 ? direct(bytes, from + 1, count) : packed(bytes, from + 1, next);
  return { table: build(weights), next };
}

/** Four bits each, the higher ones first. */
function direct(bytes: Uint8Array, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const two = bytes[from + (i >> 1)]!;
    return i % 2 === 0 ? two >> 4 : two & 15;
  });
}

/** Two states take turns, until the bits are used up; what each stands at then is a weight, too. */
function packed(bytes: Uint8Array, from: number, end: number): number[] {
  const { table, next } = readTable(bytes, from, end, { maxLog: 6, maxSymbol: maxBits + 1 });
  const bits = new BackwardBits(bytes, next, end);
  const states = [new FseState(table, bits), new FseState(table, bits)] as const;
  if (bits.left < 0) throw new Error('the weights of literals end too early');
  const weights: number[] = [];
  for (let turn = 0; ; turn ^= 1) {
    if (weights.length >= maxWeights - 1) throw new Error('there are more weights than bytes');
    const state = states[turn === 0 ? 0 : 1];
    weights.push(state.symbol);
    state.move(bits);
    if (bits.left < 0) {
      weights.push(states[turn === 0 ? 1 : 0].symbol);
      return weights;
    }
  }
}

function build(weights: number[]): HuffmanTable {
  let sum = 0;
  for (const weight of weights) {
    if (weight > maxBits) throw new Error(`a literal has the weight ${weight}`);
    if (weight > 0) sum += 1 << (weight - 1);
  }
  const longest = highestBit(sum) + 1;
  const missing = (1 << longest) - sum;
  if (sum === 0 || longest > maxBits || (missing & (missing - 1)) !== 0)
    throw new Error('the weights of literals are wrong');
  const all = [...weights, highestBit(missing) + 1];
  // The longest codes are what lengths are counted from.
  if (!all.includes(1)) throw new Error('the weights of literals are wrong');
  const table = { longest, bytes: new Uint8Array(1 << longest), bits: new Uint8Array(1 << longest) };
  let at = 0;
  for (let weight = 1; weight <= longest; weight++) {
    const places = 1 << (weight - 1);
    for (let byte = 0; byte < all.length; byte++) {
      if (all[byte] !== weight) continue;
      table.bytes.fill(byte, at, at + places);
      table.bits.fill(longest + 1 - weight, at, at + places);
      at += places;
    }
  }
  return table;
}

/** Decodes one stream, from `from` to before `end`, into all of `out`. */
export function decodeHuffman(
  table: HuffmanTable,
  bytes: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
): void {
  const { longest } = table;
  const bits = new BackwardBits(bytes, from, end);
  for (let i = 0; i < out.length; i++) {
    const place = bits.peek(longest);
    out[i] = table.bytes[place]!;
    bits.skip(table.bits[place]!);
  }
  if (bits.left !== 0) throw new Error('a stream of literals has another length than it says');
}
