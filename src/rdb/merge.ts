import { bodyMode } from './body/mode.ts';
import { auxFor, EntryCopier, type Unloadable } from './copy.ts';
import { quoteKey, RdbConflict } from './errors.ts';
import { ExtrasCopier } from './extras.ts';
import { type RdbHead, readHead } from './head.ts';
import { KeyHash } from './key-hash.ts';
import { KeyTable } from './key-table.ts';
import { MergeBatch } from './merge-batch.ts';
import { hashKey, type MergeInput, nameFile, type OnConflict } from './merge-input.ts';
import { findLosers } from './merge-plan.ts';
import type { OrdinalSets } from './ordinal-sets.ts';
import { pump } from './pump.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import { Scanner } from './scanner.ts';
import type { Spill } from './spill.ts';
import { type Target, targetOfInputs } from './target.ts';
import type { RdbWriter } from './writer.ts';

/** A key that is in more than one file, and whose value from this file is not in the result. */
export interface Conflict {
  /** In the result. */
  db: number;
  key: Buffer;
  /** The name of the file whose value was dropped. */
  dropped: string;
}

export interface MergeOptions {
  onConflict: OnConflict;
  target?: Target;
  nowMs: number;
  spill: Spill;
  /** Keys that are remembered in memory before a slower way is taken; 5 million unless given, some 110 MB. */
  maxKeysInMemory?: number;
  onConflictFound: (conflict: Conflict) => void;
  onUnloadable: (unloadable: Unloadable) => void;
  after?: (bytes: number) => Promise<void> | undefined;
}

export interface MergeReport {
  target: Target;
  keysRead: number;
  keysWritten: number;
  conflicts: number;
  /** Function libraries that can't be with one that was read before, each with the reason; the first is kept. */
  functionClashes: string[];
  /** Libraries that may register what another has: the names of their functions are made up when they run. */
  functionsUnseen: string[];
  /** True when the keys did not fit in memory, and the files were read twice. */
  readTwice: boolean;
}

const defaultMaxKeys = 5_000_000;
const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
const passWhole: BodyWish = { mode: bodyMode.skip, raw: 'entry' };

/**
 * Joins files into one. Keys are compared by their hashes, in one pass while those fit in memory; else, and for
 * `newest-expiry`, the files are read a first time to find who wins. The caller makes the writer when it knows the
 * target, and again when the first way turned out too narrow, and finishes it.
 * @throws RDB_CONFLICT with `fail`, once all conflicts have been told.
 */
export async function mergeFiles(
  inputs: MergeInput[],
  openWriter: (target: Target) => Promise<RdbWriter>,
  options: MergeOptions,
): Promise<MergeReport> {
  const heads: RdbHead[] = [];
  for (const input of inputs) {
    const head = readHead(input.open());
    heads.push(await head.catch((error: unknown) => Promise.reject(nameFile(error, input.name))));
  }
  const target = options.target ?? targetOfInputs(heads);
  const aux = heads[0]?.aux ?? {};
  const limit = options.maxKeysInMemory ?? defaultMaxKeys;
  const isInOrder = options.onConflict !== 'newest-expiry';
  if (isInOrder) {
    // The files' hints spare the table from growing; they may be wrong, so they are bounded.
    const expected = heads.reduce((sum, head) => sum + head.expectedKeys, 0);
    const table = new KeyTable(Math.min(expected, limit));
    const merge = new Merge(inputs, options, target, await openWriter(target), { table, limit });
    const report = await merge.run(aux);
    if (report !== undefined) return report;
  }
  const losers = await findLosers(inputs, options.onConflict, options.spill, options.after);
  const merge = new Merge(inputs, options, target, await openWriter(target), losers);
  const report = await merge.run(aux);
  return { ...report!, readTwice: true };
}

interface InMemory {
  table: KeyTable;
  limit: number;
}

class Merge {
  private readonly inputs: MergeInput[];
  private readonly options: MergeOptions;
  private readonly target: Target;
  private readonly writer: RdbWriter;
  private readonly memory: InMemory | undefined;
  private readonly losers: OrdinalSets | undefined;
  private readonly extras: ExtrasCopier;
  private readonly hash = new KeyHash();
  private keysRead = 0;
  private conflicts = 0;
  private firstConflict = '';
  private isFull = false;

  constructor(
    inputs: MergeInput[],
    options: MergeOptions,
    target: Target,
    writer: RdbWriter,
    choice: InMemory | OrdinalSets,
  ) {
    this.inputs = inputs;
    this.options = options;
    this.target = target;
    this.writer = writer;
    this.memory = 'table' in choice ? choice : undefined;
    this.losers = 'table' in choice ? undefined : choice;
    this.extras = new ExtrasCopier(writer, target, options.onUnloadable);
  }

  /** Undefined when there were too many keys for memory; what was written is then worthless. */
  async run(aux: Record<string, string>): Promise<MergeReport | undefined> {
    this.writer.begin(auxFor(this.target, aux, this.options.nowMs));
    // The last one wins when the files are taken from the end and the first one to come is kept.
    const isReversed = this.memory !== undefined && this.options.onConflict === 'last';
    const order = this.inputs.map((_, index) => index);
    if (isReversed) order.reverse();
    let bytesBefore = 0;
    for (const index of order) {
      const scanner = new Scanner(this.handler(index), { checksum: this.losers === undefined });
      const after = (bytes: number) => {
        if (this.isFull) throw new TooManyKeys();
        return this.options.after?.(bytesBefore + bytes);
      };
      try {
        await pump(this.inputs[index]!.open(), scanner, { after });
      } catch (error) {
        if (error instanceof TooManyKeys) return undefined;
        throw nameFile(error, this.inputs[index]!.name);
      }
      bytesBefore += scanner.offset;
    }
    this.failOnConflict();
    return {
      target: this.target,
      keysRead: this.keysRead,
      keysWritten: this.writer.keys,
      conflicts: this.conflicts,
      functionClashes: this.extras.clashes,
      functionsUnseen: this.extras.libraryCount > 1 ? [...this.extras.unseen] : [],
      readTwice: false,
    };
  }

  private handler(index: number): ScanHandler {
    const input = this.inputs[index]!;
    const { onUnloadable } = this.options;
    const prefix = input.prefix ?? Buffer.alloc(0);
    const copier = new EntryCopier(this.writer, this.target, { prefix, onUnloadable });
    const batch = this.batchFor(input);
    let ordinal = 0;
    let aux: Buffer[] | undefined;
    let copies = false;
    let isBatched = false;
    return {
      functionLibrary: (code) => {
        batch?.flush();
        this.extras.functionLibrary(code);
      },
      moduleAux: () => {
        batch?.flush();
        aux = [];
        return passWhole;
      },
      key: (scanner) => {
        aux = undefined;
        const db = input.dbs?.get(scanner.db) ?? scanner.db;
        this.keysRead++;
        isBatched = batch !== undefined && copier.copiesWhole(scanner);
        if (isBatched) {
          batch!.add(scanner, copier, db);
          return passWhole;
        }
        batch?.flush();
        copies =
          this.losers === undefined ? this.isNew(scanner, db, prefix) : !this.losers.has(index, ordinal++);
        if (copies) return copier.begin(scanner, db);
        this.tellConflict(Buffer.concat([prefix, scanner.copyKey()]), db, input.name);
        return passOver;
      },
      raw: (buf, from, to) => {
        if (aux !== undefined) aux.push(Buffer.from(buf.subarray(from, to)));
        else if (isBatched) batch!.raw(buf, from, to);
        else copier.raw(buf, from, to);
      },
      end: (scanner) => {
        if (aux !== undefined) this.extras.moduleAux(Buffer.concat(aux), scanner.moduleType);
        else if (!isBatched && copies) copier.end(scanner);
      },
      settle: () => {
        batch?.flush();
        copier.settle();
      },
    };
  }

  private batchFor(input: MergeInput): MergeBatch | undefined {
    if (this.memory === undefined) return undefined;
    const { table, limit } = this.memory;
    return new MergeBatch(table, this.hash, {
      known: (db, key) => this.tellConflict(key, db, input.name),
      flushed: () => {
        if (table.size > limit) this.isFull = true;
      },
    });
  }

  private isNew(scanner: ScanState, db: number, prefix: Buffer): boolean {
    const memory = this.memory!;
    hashKey(this.hash, scanner, db, prefix);
    const { a, b, c } = this.hash;
    if (!memory.table.add(a, b, c)) return false;
    if (memory.table.size > memory.limit) this.isFull = true;
    return true;
  }

  private tellConflict(key: Buffer, db: number, dropped: string): void {
    this.conflicts++;
    if (this.conflicts === 1) this.firstConflict = `${quoteKey(key)} in database ${db}`;
    this.options.onConflictFound({ db, key, dropped });
  }

  private failOnConflict(): void {
    const clashes = this.extras.clashes;
    if (this.options.onConflict !== 'fail' || this.conflicts + clashes.length === 0) return;
    const found =
      this.conflicts === 0
        ? `${clashes[0]}`
        : `${this.conflicts} keys are in more than one file, the first is ${this.firstConflict}`;
    throw RdbConflict(found, {
      hint: 'Choose with --on-conflict first, last or newest-expiry, or keep them apart with --prefix or --db.',
    });
  }
}

class TooManyKeys extends Error {}
