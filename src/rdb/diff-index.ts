import type { Kind } from './format.ts';
import { OrdinalSets } from './ordinal-sets.ts';
import { RecordSpill, type Spill } from './spill.ts';

export interface DiffCounts {
  firstKeys: number;
  secondKeys: number;
  same: number;
  firstOnly: number;
  secondOnly: number;
  differing: number;
}

export const kindsInOrder: Kind[] = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'];

/** hash (3), side, ordinal, sum of the value (2), kind, expiry (2: its halves, both -1 for none). */
const recordWords = 10;

/** Which entries of each file are to be told, by their number in the file. */
export class DiffMarks {
  readonly only: OrdinalSets;
  readonly differs: OrdinalSets;
  /** Of the first file only: what differs. */
  readonly kinds: OrdinalSets;
  readonly values: OrdinalSets;
  readonly expiries: OrdinalSets;

  constructor(keys: number[]) {
    this.only = new OrdinalSets(keys);
    this.differs = new OrdinalSets(keys);
    this.kinds = new OrdinalSets(keys.slice(0, 1));
    this.values = new OrdinalSets(keys.slice(0, 1));
    this.expiries = new OrdinalSets(keys.slice(0, 1));
  }

  whatDiffers(ordinal: number): ('type' | 'value' | 'expiry')[] {
    const what: ('type' | 'value' | 'expiry')[] = [];
    if (this.kinds.has(0, ordinal)) what.push('type');
    if (this.values.has(0, ordinal)) what.push('value');
    if (this.expiries.has(0, ordinal)) what.push('expiry');
    return what;
  }
}

export interface CompareRules {
  expiryToleranceMs: number;
  ignoreExpiry: boolean;
}

/** Remembers one record for each key of two files, on disk when they are many, and compares them. */
export class DiffIndex {
  private readonly records: RecordSpill;
  private readonly keys = [0, 0];

  constructor(spill: Spill) {
    this.records = new RecordSpill(spill, recordWords);
  }

  add(
    keyHash: number[],
    side: 0 | 1,
    sum: { low: number; high: number },
    kind: number,
    expireHigh: number,
    expireLow: number,
  ): void {
    const { words, at } = this.records.add(keyHash[0]!);
    words[at] = keyHash[0]!;
    words[at + 1] = keyHash[1]!;
    words[at + 2] = keyHash[2]!;
    words[at + 3] = side;
    words[at + 4] = this.keys[side]!++;
    words[at + 5] = sum.low;
    words[at + 6] = sum.high;
    words[at + 7] = kind;
    words[at + 8] = expireHigh;
    words[at + 9] = expireLow;
  }

  compare(rules: CompareRules): { counts: DiffCounts; marks: DiffMarks } {
    const marks = new DiffMarks(this.keys);
    const [firstKeys = 0, secondKeys = 0] = this.keys;
    const counts = { firstKeys, secondKeys, same: 0, firstOnly: 0, secondOnly: 0, differing: 0 };
    this.records.forEachPart((words) => comparePart(words, rules, counts, marks));
    return { counts, marks };
  }
}

function comparePart(words: Int32Array, rules: CompareRules, counts: DiffCounts, marks: DiffMarks): void {
  const count = words.length / recordWords;
  let size = 16;
  while (size < count * 2) size *= 2;
  const slots = new Int32Array(size);
  const isMatched = new Uint8Array(count);
  for (let record = 0; record < count; record++) {
    const at = record * recordWords;
    for (let slot = words[at + 1]! & (size - 1); ; slot = (slot + 1) & (size - 1)) {
      const other = slots[slot]! - 1;
      if (other < 0) {
        slots[slot] = record + 1;
        break;
      }
      const before = other * recordWords;
      if (!isSameKey(words, before, at) || words[before + 3] === words[at + 3]) continue;
      isMatched[other] = 1;
      isMatched[record] = 1;
      // Records come in the order they were added: the first file's stand before the second's.
      comparePair(words, before, at, rules, counts, marks);
      break;
    }
  }
  for (let record = 0; record < count; record++) {
    if (isMatched[record]) continue;
    const at = record * recordWords;
    const side = words[at + 3]!;
    marks.only.add(side, words[at + 4]!);
    if (side === 0) counts.firstOnly++;
    else counts.secondOnly++;
  }
}

function comparePair(
  words: Int32Array,
  one: number,
  other: number,
  rules: CompareRules,
  counts: DiffCounts,
  marks: DiffMarks,
): void {
  const ordinal = words[one + 4]!;
  const kindDiffers = words[one + 7] !== words[other + 7];
  const valueDiffers =
    kindDiffers || words[one + 5] !== words[other + 5] || words[one + 6] !== words[other + 6];
  const expiryDiffers = !rules.ignoreExpiry && !isSameExpiry(words, one, other, rules.expiryToleranceMs);
  if (kindDiffers) marks.kinds.add(0, ordinal);
  if (valueDiffers) marks.values.add(0, ordinal);
  if (expiryDiffers) marks.expiries.add(0, ordinal);
  if (!valueDiffers && !expiryDiffers) {
    counts.same++;
    return;
  }
  counts.differing++;
  marks.differs.add(0, ordinal);
  marks.differs.add(1, words[other + 4]!);
}

function isSameKey(words: Int32Array, one: number, other: number): boolean {
  return (
    words[one] === words[other] && words[one + 1] === words[other + 1] && words[one + 2] === words[other + 2]
  );
}

function isSameExpiry(words: Int32Array, one: number, other: number, toleranceMs: number): boolean {
  const highs = words[one + 8]! - words[other + 8]!;
  const lows = (words[one + 9]! >>> 0) - (words[other + 9]! >>> 0);
  if (highs === 0 && lows === 0) return true;
  if (isNever(words, one) || isNever(words, other)) return false;
  // The halves are far below 2^53, and so is a difference that is small enough to be tolerated.
  return Math.abs(highs * 4294967296 + lows) <= toleranceMs;
}

function isNever(words: Int32Array, at: number): boolean {
  return words[at + 8] === -1 && words[at + 9] === -1;
}
