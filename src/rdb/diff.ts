import { bodyMode } from './body/mode.ts';
import { type DiffCounts, DiffIndex, type DiffMarks, kindsInOrder } from './diff-index.ts';
import { describeDifference } from './diff-value.ts';
import { ValueDigest } from './digest.ts';
import { type Flavor, typeInfo } from './format.ts';
import { KeyHash } from './key-hash.ts';
import { nameFile, type RdbSource } from './merge-input.ts';
import { pump } from './pump.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import { Scanner } from './scanner.ts';
import type { Spill } from './spill.ts';
import { decodeBody } from './value.ts';

export interface Difference {
  db: number;
  key: Buffer;
  /** In the first file only, in the second only, or in both and not the same. */
  is: 'first-only' | 'second-only' | 'differs';
  /** Of a key that is in one only: its expiry passed before the other was read, which may be all there is to it. */
  expired?: true;
  /** What differs, of a key that is in both. */
  in?: ('type' | 'value' | 'expiry')[];
  /** How the values differ, for the first of them. */
  how?: string;
}

export interface DiffOptions {
  spill: Spill;
  /** Expiries this close count as equal, in ms; for servers that tell only how long is left. */
  expiryToleranceMs: number;
  ignoreExpiry: boolean;
  /** When the later of the two was read, in ms since 1970; for servers, which drop keys by themselves. */
  readAtMs?: number;
  /** For how many keys to look at how they differ. */
  details: number;
  onDifference: (difference: Difference) => void;
  after?: (bytes: number) => Promise<void> | undefined;
}

/** Values longer than this in the file are not held to be described. */
const maxDescribedBytes = 2 ** 20;

/**
 * Compares two files key by key, whatever the order and the encodings. Values are compared by 64-bit sums, so two
 * that differ pass for equal with a probability of 2^-64. A second reading, only when there is a difference, finds
 * the names of the keys.
 */
export async function diffFiles(
  first: RdbSource,
  second: RdbSource,
  options: DiffOptions,
): Promise<DiffCounts> {
  const index = new DiffIndex(options.spill);
  const hash = new KeyHash();
  await readInto(first, 0, index, hash, options);
  await readInto(second, 1, index, hash, options);
  const { counts, marks } = index.compare(options);
  if (counts.firstOnly + counts.secondOnly + counts.differing > 0) {
    await new DifferenceTeller(marks, options).tell(first, second);
  }
  return counts;
}

async function readInto(
  source: RdbSource,
  side: 0 | 1,
  index: DiffIndex,
  hash: KeyHash,
  options: DiffOptions,
): Promise<void> {
  const digest = new ValueDigest(hash);
  const decode: BodyWish = { mode: bodyMode.decode, raw: undefined, visitor: digest };
  const keyHash = [0, 0, 0];
  let isKey = false;
  const scanner = new Scanner({
    moduleAux: () => {
      isKey = false;
      return { mode: bodyMode.skip, raw: undefined };
    },
    key: (found) => {
      isKey = true;
      hash.update(found.db, found.keyBuf, found.keyStart, found.keyEnd);
      keyHash[0] = hash.a;
      keyHash[1] = hash.b;
      keyHash[2] = hash.c;
      return decode;
    },
    end: (found) => {
      if (!isKey) return;
      const kind = kindsInOrder.indexOf(typeInfo(found.type, found.flavor)!.kind);
      index.add(keyHash, side, digest, kind, found.expireHigh, found.expireLow);
    },
  });
  await pumpNamed(source, scanner, options);
}

async function pumpNamed(source: RdbSource, scanner: Scanner, options: DiffOptions): Promise<void> {
  try {
    await pump(source.open(), scanner, options.after === undefined ? {} : { after: options.after });
  } catch (error) {
    throw nameFile(error, source.name);
  }
}

interface Held {
  type: number;
  flavor: Flavor;
  body: Buffer;
}

/** Reads both files again and tells the keys that were marked. */
class DifferenceTeller {
  private readonly marks: DiffMarks;
  private readonly options: DiffOptions;
  private readonly held = new Map<string, { value: Held; in: Difference['in'] }>();

  constructor(marks: DiffMarks, options: DiffOptions) {
    this.marks = marks;
    this.options = options;
  }

  async tell(first: RdbSource, second: RdbSource): Promise<void> {
    await pumpNamed(first, new Scanner(this.firstHandler(), { checksum: false }), this.options);
    await pumpNamed(second, new Scanner(this.secondHandler(), { checksum: false }), this.options);
    // A key whose values were to be described, and that was not met again, is told all the same.
    for (const [name, { in: what }] of this.held) {
      const { db, key } = JSON.parse(name) as { db: number; key: string };
      this.options.onDifference({ db, key: Buffer.from(key, 'latin1'), is: 'differs', in: what ?? [] });
    }
  }

  private firstHandler(): ScanHandler {
    const { marks, options } = this;
    let what: Difference['in'];
    return this.handler(
      (ordinal) => {
        if (marks.only.has(0, ordinal)) return 'first-only';
        if (!marks.differs.has(0, ordinal)) return undefined;
        what = marks.whatDiffers(ordinal);
        return this.held.size < options.details && what.includes('value') ? 'hold' : 'differs';
      },
      (scanner, held) => {
        this.held.set(nameOf(scanner), { value: held, in: what });
      },
      () => what,
    );
  }

  private secondHandler(): ScanHandler {
    const { marks, options } = this;
    return this.handler(
      (ordinal, scanner) => {
        if (marks.only.has(1, ordinal)) return 'second-only';
        return marks.differs.has(1, ordinal) && this.held.has(nameOf(scanner)) ? 'hold' : undefined;
      },
      (scanner, other) => {
        const name = nameOf(scanner);
        const { value, in: what } = this.held.get(name)!;
        this.held.delete(name);
        options.onDifference({
          db: scanner.db,
          key: scanner.copyKey(),
          is: 'differs',
          in: what ?? [],
          how: describe(value, other),
        });
      },
      () => undefined,
    );
  }

  private handler(
    judge: (ordinal: number, scanner: ScanState) => Difference['is'] | 'hold' | undefined,
    hold: (scanner: ScanState, held: Held) => void,
    what: () => Difference['in'],
  ): ScanHandler {
    const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
    const whole: BodyWish = { mode: bodyMode.skip, raw: 'body' };
    let ordinal = 0;
    let pieces: Buffer[] | undefined;
    let size = 0;
    return {
      key: (scanner) => {
        const verdict = judge(ordinal++, scanner);
        pieces = verdict === 'hold' ? [] : undefined;
        size = 0;
        if (verdict === 'hold') return whole;
        if (verdict !== undefined) {
          const parts = what();
          const isOnly = verdict !== 'differs' && scanner.expireMs !== -1;
          const expired = isOnly && scanner.expireMs <= (this.options.readAtMs ?? Number.NEGATIVE_INFINITY);
          this.options.onDifference({
            db: scanner.db,
            key: scanner.copyKey(),
            is: verdict,
            ...(expired ? { expired: true as const } : {}),
            ...(parts === undefined || verdict !== 'differs' ? {} : { in: parts }),
          });
        }
        return passOver;
      },
      raw: (buf, from, to) => {
        size += to - from;
        if (size <= maxDescribedBytes) pieces?.push(Buffer.from(buf.subarray(from, to)));
      },
      end: (scanner) => {
        if (pieces === undefined) return;
        const body = size <= maxDescribedBytes ? Buffer.concat(pieces) : Buffer.alloc(0);
        pieces = undefined;
        hold(scanner, { type: scanner.type, flavor: scanner.flavor, body });
      },
    };
  }
}

function nameOf(scanner: ScanState): string {
  return JSON.stringify({ db: scanner.db, key: scanner.copyKey().toString('latin1') });
}

function describe(one: Held, other: Held): string {
  if (one.body.length === 0 || other.body.length === 0) return 'too long to be compared here';
  return describeDifference(
    decodeBody(one.type, one.flavor, one.body),
    decodeBody(other.type, other.flavor, other.body),
  );
}
