/**
 * Tables of finite state entropy (FSE), by which zstd says lengths, offsets, and the weights of its literals. A state is a
 * place in the table; it stands for a symbol and says how many bits lead to the next state, and from where these count.
 * Source: RFC 8878, section 4.1.
 */
import { type BackwardBits, highestBit } from './bits.ts';

export interface FseTable {
  /** How many bits the first state takes. */
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
  base: Uint16Array;
}

/** What a table may be: `maxLog` bounds its size, `maxSymbol` is the highest symbol that has a meaning. */
export interface FseLimits {
  maxLog: number;
  maxSymbol: number;
}

/** A probability below one. */
const lessThanOne = -1;

/** The table of one symbol, which takes no bits. */
export function tableOfOne(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), base: new Uint16Array(1) };
}

/** Reads what a table is made of; `next` is the place behind it. */
export function readTable(
  bytes: Uint8Array,
  from: number,
  end: number,
  { maxLog, maxSymbol }: FseLimits,
): { table: FseTable; next: number } {
  let at = from * 8;
  const peek = (count: number): number => {
    const byte = at >>> 3;
    if (byte >= end) throw new Error('a table ends too early');
    return (
      ((bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16)) >>> (at & 7)) & ((1 << count) - 1)
    );
  };
  const log = peek(4) + 5;
  at += 4;
  if (log > maxLog) throw new Error(`a table has 2^${log} states, more than 2^${maxLog}`);
  const probabilities: number[] = [];
  let left = 1 << log;
  while (left > 0) {
    if (probabilities.length > maxSymbol) throw new Error('a table has more symbols than there are');
    // A value from 0 to left + 1. Those that a whole number of bits does not need take one bit less.
    const count = highestBit(left + 1) + 1;
    const short = (1 << count) - 2 - left;
    const low = peek(count - 1);
    let value = low;
    if (low >= short) {
      const whole = peek(count);
      value = whole < 1 << (count - 1) ? whole : whole - short;
      at += count;
    } else at += count - 1;
    probabilities.push(value - 1);
    left -= Math.abs(value - 1);
    if (value !== 1) continue;
    for (let more = 3; more === 3; at += 2) {
      more = peek(2);
      for (let i = 0; i < more; i++) probabilities.push(0);
      if (probabilities.length > maxSymbol + 1) throw new Error('a table has more symbols than there are');
    }
  }
  if (left < 0 || at > end * 8) throw new Error('the probabilities of a table are wrong');
  return { table: buildTable(log, probabilities), next: (at + 7) >>> 3 };
}

/** The probabilities add up to 2^log, where -1 counts as 1. */
export function buildTable(log: number, probabilities: readonly number[]): FseTable {
  const size = 1 << log;
  const table = {
    log,
    symbols: new Uint8Array(size),
    bits: new Uint8Array(size),
    base: new Uint16Array(size),
  };
  const next = probabilities.map((each) => Math.abs(each));
  // Symbols that are less than likely take one state each, from the end.
  let high = size;
  for (const [symbol, each] of probabilities.entries()) {
    if (each === lessThanOne) table.symbols[--high] = symbol;
  }
  const step = (size >>> 1) + (size >>> 3) + 3;
  let at = 0;
  for (const [symbol, each] of probabilities.entries()) {
    for (let i = 0; i < each; i++) {
      table.symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  for (let state = 0; state < size; state++) {
    const count = next[table.symbols[state]!]!++;
    const bits = log - highestBit(count);
    table.bits[state] = bits;
    table.base[state] = (count << bits) - size;
  }
  return table;
}

/** One state, which moves as bits are taken. */
export class FseState {
  private readonly table: FseTable;
  private state: number;

  constructor(table: FseTable, bits: BackwardBits) {
    this.table = table;
    this.state = bits.take(table.log);
  }

  get symbol(): number {
    return this.table.symbols[this.state]!;
  }

  move(bits: BackwardBits): void {
    this.state = this.table.base[this.state]! + bits.take(this.table.bits[this.state]!);
  }
}
