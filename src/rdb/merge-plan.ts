import { bodyMode } from './body/mode.ts';
import { isBelow } from './int64.ts';
import { KeyHash } from './key-hash.ts';
import { hashKey, type MergeInput, nameFile, type OnConflict } from './merge-input.ts';
import { OrdinalSets } from './ordinal-sets.ts';
import { pump } from './pump.ts';
import type { BodyWish } from './scan-handler.ts';
import { Scanner } from './scanner.ts';
import { RecordSpill, type Spill } from './spill.ts';

/** hash (3), file, ordinal, expiry (2: its halves, both -1 for never). */
const recordWords = 7;
const skipWish: BodyWish = { mode: bodyMode.skip, raw: undefined };

/**
 * Reads all files once, with their checksums, and finds out which entries lose to another of the same name.
 * Memory does not grow with the keys, but for one bit each.
 */
export async function findLosers(
  inputs: MergeInput[],
  onConflict: OnConflict,
  spill: Spill,
  after?: (bytes: number) => Promise<void> | undefined,
): Promise<OrdinalSets> {
  const records = new RecordSpill(spill, recordWords);
  const hash = new KeyHash();
  const keysPerFile: number[] = [];
  let bytesBefore = 0;
  for (const [file, input] of inputs.entries()) {
    const prefix = input.prefix ?? Buffer.alloc(0);
    let ordinal = 0;
    const scanner = new Scanner({
      key: (found) => {
        hashKey(hash, found, input.dbs?.get(found.db) ?? found.db, prefix);
        const { words, at } = records.add(hash.a);
        words[at] = hash.a;
        words[at + 1] = hash.b;
        words[at + 2] = hash.c;
        words[at + 3] = file;
        words[at + 4] = ordinal++;
        words[at + 5] = found.expireHigh;
        words[at + 6] = found.expireLow;
        return skipWish;
      },
    });
    try {
      const readBefore = bytesBefore;
      await pump(input.open(), scanner, { after: (bytes) => after?.(readBefore + bytes) });
    } catch (error) {
      throw nameFile(error, input.name);
    }
    bytesBefore += scanner.offset;
    keysPerFile.push(ordinal);
  }
  const losers = new OrdinalSets(keysPerFile);
  records.forEachPart((words) => judgePart(words, onConflict, losers));
  return losers;
}

/** Finds records of the same hash and marks all but the best of them. */
function judgePart(words: Int32Array, onConflict: OnConflict, losers: OrdinalSets): void {
  const count = words.length / recordWords;
  let size = 16;
  while (size < count * 2) size *= 2;
  const slots = new Int32Array(size);
  for (let record = 0; record < count; record++) {
    const at = record * recordWords;
    for (let slot = words[at + 1]! & (size - 1); ; slot = (slot + 1) & (size - 1)) {
      const other = slots[slot]!;
      if (other === 0) {
        slots[slot] = record + 1;
        break;
      }
      const before = (other - 1) * recordWords;
      if (!isSameHash(words, before, at)) continue;
      const wins = isBetter(words, at, before, onConflict);
      const loser = wins ? before : at;
      if (wins) slots[slot] = record + 1;
      losers.add(words[loser + 3]!, words[loser + 4]!);
      break;
    }
  }
}

function isSameHash(words: Int32Array, one: number, other: number): boolean {
  return (
    words[one] === words[other] && words[one + 1] === words[other + 1] && words[one + 2] === words[other + 2]
  );
}

/** Whether the later record beats the earlier one. */
function isBetter(words: Int32Array, later: number, earlier: number, onConflict: OnConflict): boolean {
  if (onConflict === 'last') return true;
  if (onConflict !== 'newest-expiry' || isNever(words, earlier)) return false;
  return (
    isNever(words, later) ||
    isBelow(words[earlier + 5]!, words[earlier + 6]!, words[later + 5]!, words[later + 6]!)
  );
}

function isNever(words: Int32Array, at: number): boolean {
  return words[at + 5] === -1 && words[at + 6] === -1;
}
