/**
 * The sequences of a compressed block: each says how many literals to take, and then how many bytes to copy from how far back.
 * Source: RFC 8878, sections 3.1.1.3.2, 3.1.1.4 and 3.1.1.5.
 *
 * - Three codes each: of literals, of the offset, of the match. A code stands for a number and how many bits are added to it.
 * - The bits of a sequence: those of the offset, of the match, of the literals; then those that move the states: literals,
 *   match, offset. The last sequence moves none.
 * - An offset of 1 to 3 means one of the last three (one further on, when no literals come before).
 */
import { BackwardBits } from './bits.ts';
import { buildTable, type FseLimits, FseState, type FseTable, readTable, tableOfOne } from './fse.ts';
import type { History } from './history.ts';

/** What a code stands for: the number at its place in `from`, and as many bits more as in `bits`. */
interface Codes {
  from: Uint32Array;
  bits: Uint8Array;
}

const literalCodes = codes(0, [...new Array(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, ...range(6, 16)]);
const matchCodes = codes(3, [...new Array(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, ...range(7, 16)]);

type Three = [literals: FseTable, offsets: FseTable, matches: FseTable];

const limits: FseLimits[] = [
  { maxLog: 9, maxSymbol: 35 },
  { maxLog: 8, maxSymbol: 31 },
  { maxLog: 9, maxSymbol: 52 },
];

const ones = (count: number) => new Array<number>(count).fill(1);
const twos = (count: number) => new Array<number>(count).fill(2);
const rare = (count: number) => new Array<number>(count).fill(-1);
/** The tables of a block that names none. */
const predefined: Three = [
  buildTable(6, [4, 3, ...twos(11), ...ones(3), ...twos(9), 3, 2, ...ones(5), ...rare(4)]),
  buildTable(5, [...ones(6), ...twos(3), ...ones(15), ...rare(5)]),
  buildTable(6, [1, 4, 3, ...twos(6), ...ones(37), ...rare(7)]),
];

const modes = { predefined: 0, one: 1, own: 2, asBefore: 3 } as const;

export class Sequences {
  private tables: Three | undefined;
  private last: [number, number, number] = [1, 4, 8];

  beginFrame(): void {
    this.tables = undefined;
    this.last = [1, 4, 8];
  }

  /** Carries out those of the block at `from`; never gives more than `maxBytes`. */
  run(
    block: Uint8Array,
    from: number,
    end: number,
    literals: Uint8Array,
    to: History,
    maxBytes: number,
  ): void {
    const { count, next } = readCount(block, from, end);
    let taken = 0;
    if (count === 0) {
      if (next !== end) throw new Error('a block goes on behind its end');
    } else {
      const at = this.readTables(block, next, end);
      taken = this.runAll(new BackwardBits(block, at, end), count, literals, to, maxBytes);
    }
    if (to.blockBytes + literals.length - taken > maxBytes) throw tooLong(maxBytes);
    to.add(literals.subarray(taken));
  }

  /** Returns how many literals were taken. */
  private runAll(
    bits: BackwardBits,
    count: number,
    literals: Uint8Array,
    to: History,
    maxBytes: number,
  ): number {
    const [literalTable, offsetTable, matchTable] = this.tables!;
    const literal = new FseState(literalTable, bits);
    const offset = new FseState(offsetTable, bits);
    const match = new FseState(matchTable, bits);
    let taken = 0;
    for (let left = count; left > 0; left--) {
      const distanceCode = takeOffset(bits, offset.symbol);
      const matchBytes = takeCode(bits, matchCodes, match.symbol);
      const literalBytes = takeCode(bits, literalCodes, literal.symbol);
      if (left > 1) {
        literal.move(bits);
        match.move(bits);
        offset.move(bits);
      }
      if (bits.left < 0) throw new Error('the sequences of a block end too early');
      if (taken + literalBytes > literals.length) throw new Error('a block takes more literals than it has');
      if (to.blockBytes + literalBytes + matchBytes > maxBytes) throw tooLong(maxBytes);
      to.addFrom(literals, taken, literalBytes);
      taken += literalBytes;
      to.repeat(this.distance(distanceCode, literalBytes === 0), matchBytes);
    }
    if (bits.left !== 0) throw new Error('the sequences of a block have another length than it says');
    return taken;
  }

  private distance(code: number, isAlone: boolean): number {
    const [first, second, third] = this.last;
    if (code > 3) {
      this.last = [code - 3, first, second];
      return code - 3;
    }
    const which = isAlone ? code + 1 : code;
    if (which === 1) return first;
    const distance = which === 2 ? second : which === 3 ? third : first - 1;
    if (distance === 0) throw new Error('a block copies from nowhere');
    this.last = [distance, first, which === 2 ? third : second];
    return distance;
  }

  /** Returns the place behind the tables. */
  private readTables(block: Uint8Array, from: number, end: number): number {
    if (from >= end) throw new Error('a block ends within its tables');
    const said = block[from]!;
    if ((said & 3) !== 0) throw new Error('a block has a reserved bit set');
    let at = from + 1;
    const tables = limits.map((limit, i): FseTable => {
      const mode = (said >> (6 - 2 * i)) & 3;
      if (mode === modes.predefined) return predefined[i]!;
      if (mode === modes.asBefore) {
        if (this.tables === undefined) throw new Error('the first block has no tables for its sequences');
        return this.tables[i]!;
      }
      if (mode === modes.one) {
        const symbol = at < end ? block[at++]! : Infinity;
        if (symbol > limit.maxSymbol) throw new Error('a block has a code that does not exist');
        return tableOfOne(symbol);
      }
      const { table, next } = readTable(block, at, end, limit);
      at = next;
      return table;
    });
    this.tables = tables as Three;
    return at;
  }
}

function readCount(block: Uint8Array, from: number, end: number): { count: number; next: number } {
  if (from >= end) throw new Error('a block ends before its sequences');
  const first = block[from]!;
  const bytes = first < 128 ? 1 : first < 255 ? 2 : 3;
  if (from + bytes > end) throw new Error('a block ends before its sequences');
  const second = block[from + 1]!;
  const count = [first, ((first - 128) << 8) + second, second + (block[from + 2]! << 8) + 0x7f00][bytes - 1]!;
  return { count, next: from + bytes };
}

function takeCode(bits: BackwardBits, { from, bits: more }: Codes, code: number): number {
  return from[code]! + bits.take(more[code]!);
}

/** Up to 31 bits, more than are taken at once. */
function takeOffset(bits: BackwardBits, code: number): number {
  if (code <= 24) return (1 << code) + bits.take(code);
  const high = bits.take(code - 16);
  return 2 ** code + high * 2 ** 16 + bits.take(16);
}

function tooLong(maxBytes: number): Error {
  return new Error(`a block gives more than ${maxBytes} bytes`);
}

/** Codes that follow each other without a gap, from `first` on; each adds so many bits. */
function codes(first: number, bits: number[]): Codes {
  const from = new Uint32Array(bits.length);
  for (let i = 0, next = first; i < bits.length; next += 2 ** bits[i++]!) from[i] = next;
  return { from, bits: Uint8Array.from(bits) };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
