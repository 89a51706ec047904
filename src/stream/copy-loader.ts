/**
 * From an RDB to the keys of a target: hears what a scanner finds, and adds it to the batch at hand. Short strings, of which most
 * data has millions, are written from where they lie, without an object for each.
 */
import { bodyMode } from '../rdb/body/mode.ts';
import { RdbEntry } from '../rdb/entries.ts';
import { type Kind, type as rdbType, typeInfo } from '../rdb/format.ts';
import { writeInteger } from '../rdb/integer-text.ts';
import type { BodyWish, ScanHandler } from '../rdb/scan-handler.ts';
import type { ScanState } from '../rdb/scan-state.ts';
import { dumpedMoreBytes } from './byte-gatherer.ts';
import type { CopyBatch } from './copy-batch.ts';
import { hasPieces, LongValue } from './long-value.ts';
import { type RestoreOptions, restoreCommand } from './restore-command.ts';
import type { Rewriter } from './rewrite.ts';
import { tooLong, usualHeldBytes, usualLongestArgument } from './too-long.ts';

export interface LoaderOptions extends RestoreOptions {
  /** Bytes of the longest argument that the target takes. */
  longest?: number;
  /** Bytes of a value that may be held: a longer one goes in pieces, where it has any. */
  heldBytes?: number | undefined;
  /** Of the keys that are copied; all, if omitted. */
  types?: ReadonlySet<Kind> | undefined;
}

const wanted: BodyWish = { mode: bodyMode.skip, raw: 'body' };
const passedOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
/** More than stands before the bytes of a string. */
const headBytes = 16;
const none: Buffer = Buffer.alloc(0);

export class CopyLoader implements ScanHandler {
  /** What is found goes there; the owner puts another one in its place. */
  batch: CopyBatch;
  readonly #rewriter: Rewriter;
  readonly #options: LoaderOptions;
  readonly #longest: number;
  readonly #heldBytes: number;
  readonly #digits = Buffer.allocUnsafe(32);
  #isWanted = false;
  #db = 0;
  /** Under another name than in the source. */
  #renamed: Buffer | undefined;
  /** What has come of the body: pieces that were kept, and behind them one that lies in the scanner's buffer. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #scanner: ScanState | undefined;
  /** The value under way, where it is longer than may be held. */
  #long: LongValue | undefined;
  #buf = none;
  #from = 0;
  #to = 0;

  constructor(batch: CopyBatch, rewriter: Rewriter, options: LoaderOptions) {
    this.batch = batch;
    this.#rewriter = rewriter;
    this.#options = options;
    this.#longest = options.longest ?? usualLongestArgument;
    this.#heldBytes = Math.min(options.heldBytes ?? usualHeldBytes, this.#longest);
  }

  functionLibrary(code: Buffer): void {
    const args = ['FUNCTION', 'LOAD', 'REPLACE', Buffer.from(code)];
    const buffers = () => args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg));
    if (this.#rewriter.rewrite('function', buffers, 0) !== 'nothing') this.batch.addCommand(0, args, null);
  }

  moduleAux(): BodyWish {
    this.#isWanted = false;
    return passedOver;
  }

  key(scanner: ScanState): BodyWish {
    const { types } = this.#options;
    const isOfType = types === undefined || types.has(typeInfo(scanner.type, scanner.flavor)!.kind);
    const db = isOfType ? this.#rewriter.targetDb(scanner.db) : undefined;
    this.#isWanted = db !== undefined;
    if (db === undefined) return passedOver;
    this.#db = db;
    this.#renamed = undefined;
    if (!this.#rewriter.keepsKeys) {
      this.#renamed = this.#rewriter.targetKey(scanner.copyKey());
      this.#isWanted = this.#renamed !== undefined;
    }
    this.#scanner = scanner;
    if (this.#isWanted && scanner.keyEnd - scanner.keyStart > this.#longest) throw this.#tooLong(scanner);
    return this.#isWanted ? wanted : passedOver;
  }

  raw(buf: Buffer, from: number, to: number): void {
    if (this.#long !== undefined) {
      this.#long.add(Buffer.from(buf.subarray(from, to)));
      return;
    }
    this.settle();
    this.#buf = buf;
    this.#from = from;
    this.#to = to;
    if (this.#keptBytes + to - from > this.#heldBytes && this.#beganLong()) return;
    // Not only at its end: until then it is held.
    const isTooLong = this.#keptBytes + to - from > this.#longest + headBytes;
    if (isTooLong && this.#scanner !== undefined) throw this.#tooLong(this.#scanner);
  }

  /** The scanner's buffer is used again. */
  settle(): void {
    if (this.#from < this.#to) {
      this.#kept.push(Buffer.from(this.#buf.subarray(this.#from, this.#to)));
      this.#keptBytes += this.#to - this.#from;
    }
    this.#from = this.#to;
  }

  end(scanner: ScanState): void {
    if (this.#long !== undefined) {
      this.#long.end();
      this.#long = undefined;
      return;
    }
    if (this.#kept.length > 0) this.#join();
    if (this.#isWanted && !this.#addedPair(scanner)) this.#restore(scanner);
    this.#from = this.#to;
  }

  /** Whether what has come, and comes, of this value goes out as it comes. */
  #beganLong(): boolean {
    const scanner = this.#scanner;
    if (scanner === undefined || !this.#isWanted || !hasPieces(scanner.type)) return false;
    const [db, key] = [this.#db, this.#renamed ?? scanner.copyKey()];
    const { target, replaces } = this.#options;
    const { expireMs } = scanner;
    let begins = true;
    const long = new LongValue(
      scanner,
      key,
      { target, replaces, longest: this.#longest },
      (pieces, commands) => {
        this.batch.addWritten({ db, key, expireMs }, pieces, commands, begins);
        begins = false;
      },
    );
    this.#long = long;
    this.settle();
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const bytes of kept) long.add(bytes);
    return true;
  }

  #join(): void {
    this.settle();
    this.#buf = this.#kept.length === 1 ? this.#kept[0]! : Buffer.concat(this.#kept);
    this.#kept = [];
    this.#keptBytes = 0;
    this.#from = 0;
    this.#to = this.#buf.length;
  }

  #restore(scanner: ScanState): void {
    const body = this.#buf.subarray(this.#from, this.#to);
    const entry = new RdbEntry(scanner, scanner.copyKey(), body);
    const key = this.#renamed ?? entry.key;
    if (body.length + dumpedMoreBytes > this.#longest) throw this.#tooLong(scanner);
    this.batch.addCommand(this.#db, restoreCommand(entry, key, this.#options), key, scanner.expireMs);
  }

  /** Whether it is a string that lies there as it is, and nothing else is known of it. */
  #addedPair(scanner: ScanState): boolean {
    if (scanner.type !== rdbType.string || scanner.expireMs !== -1) return false;
    if (scanner.idle !== -1 || scanner.freq !== -1) return false;
    const buf = this.#buf;
    let from = this.#from;
    let value = buf;
    let to = this.#to;
    const first = buf[from]!;
    if (first < 0x40) from += 1;
    else if (first < 0x80) from += 2;
    else if (first === 0x80) from += 5;
    else if (first === 0x81) from += 9;
    else if (first === 0xc3) return false;
    else {
      const at = from + 1;
      const number =
        first === 0xc0 ? buf.readInt8(at) : first === 0xc1 ? buf.readInt16LE(at) : buf.readInt32LE(at);
      value = this.#digits;
      from = 0;
      to = writeInteger(value, 0, number);
    }
    if (to - from > this.#longest) throw this.#tooLong(scanner);
    const { keyBuf, keyStart, keyEnd } = scanner;
    const name = this.#renamed;
    if (name === undefined) this.batch.addPair(this.#db, keyBuf, keyStart, keyEnd, value, from, to);
    else this.batch.addPair(this.#db, name, 0, name.length, value, from, to);
    return true;
  }

  #tooLong(scanner: ScanState): Error {
    return tooLong('the value of', scanner.copyKey(), scanner.db, this.#longest);
  }
}
