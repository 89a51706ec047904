/**
 * A value that is too long to be held: it goes to the target in pieces, as it comes, in one transaction behind the other. That is
 * for a copy, of which nothing counts before all of it is there (full-copy.ts).
 *
 * - A string is made as long as it will be, so that the target asks for its memory once, and is then filled (SETRANGE).
 * - What has elements gets some with each command: RPUSH, SADD, ZADD, HSET, XADD.
 * - Values of modules have no pieces, and what a source keeps packed in one piece of memory comes as one: these are held.
 */
import { bodyMode } from '../rdb/body/mode.ts';
import { BodyWalker } from '../rdb/body/walker.ts';
import { ByteSink } from '../rdb/byte-sink.ts';
import { cameWith } from '../rdb/convert.ts';
import { Cursor } from '../rdb/cursor.ts';
import { rdbError } from '../rdb/errors.ts';
import { Fault } from '../rdb/fault.ts';
import { type as rdbType, typeInfo } from '../rdb/format.ts';
import { RespBatch } from '../rdb/resp-batch.ts';
import { RespValue, whyTooLate } from '../rdb/resp-value.ts';
import type { ScanState } from '../rdb/scan-state.ts';
import { StringStream } from '../rdb/string-stream.ts';
import { can, type Target } from '../rdb/target.ts';
import { cannotBeCarried } from './restore-command.ts';
import { tooLong } from './too-long.ts';

interface LongValueOptions {
  target: Target;
  /** Overwrite what is there. */
  replaces: boolean;
  /** Bytes of the longest argument that the target takes. */
  longest: number;
}

/** What is known of it before its body comes. */
export type LongSource = Pick<
  ScanState,
  'type' | 'flavor' | 'db' | 'copyKey' | 'expireMs' | 'expireHigh' | 'expireLow'
>;

/** Commands as they are sent; their memory is used again behind the call. */
type Put = (pieces: readonly Buffer[], commands: number) => void;

const inPieces = new Set<number>([
  ...[rdbType.string, rdbType.list, rdbType.set, rdbType.hash, rdbType.zset, rdbType.zset2],
  ...[rdbType.listQuicklist, rdbType.listQuicklist2, rdbType.hashMetadata, rdbType.hashMetadataPreGa],
  ...[rdbType.streamListpacks, rdbType.streamListpacks2, rdbType.streamListpacks3, rdbType.streamListpacks4],
]);

/** Whether a value of this type can go in pieces. */
export function hasPieces(typeByte: number): boolean {
  return inPieces.has(typeByte);
}

export class LongValue {
  readonly #scanner: LongSource;
  readonly #put: Put;
  readonly #key: Buffer;
  readonly #out: Buffer[] = [];
  readonly #sink = new ByteSink(async () => {});
  readonly #batch = new RespBatch(this.#sink);
  readonly #body: StringBody | ElementsBody;
  #sent = 0;

  /** @param scanner at its key. @param key as it is called in the target. @throws STREAM_CANT_CARRY */
  constructor(scanner: LongSource, key: Buffer, options: LongValueOptions, put: Put) {
    this.#scanner = scanner;
    this.#key = key;
    this.#put = put;
    this.#sink.onPiece = (buf, end) => this.#out.push(buf.subarray(0, end));
    if (options.replaces) this.#batch.command('DEL', key);
    const Body = scanner.type === rdbType.string ? StringBody : ElementsBody;
    this.#body = new Body(this.#batch, scanner, key, options);
  }

  /** The next bytes of its body, which must stay as they are. @throws STREAM_CANT_CARRY, RDB_CORRUPT */
  add(bytes: Buffer): void {
    this.#carry(() => this.#body.add(bytes));
  }

  /** All of it has come. @throws as `add` */
  end(): void {
    this.#carry(() => this.#body.end());
    const { expireMs, expireHigh, expireLow } = this.#scanner;
    if (expireMs === -1) return;
    const place = { keyBuf: this.#key, keyStart: 0, keyEnd: this.#key.length };
    this.#batch.integer('PEXPIREAT', place, expireHigh, expireLow);
    this.#handOn();
  }

  #carry(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw rdbError(error, this.#scanner.db, this.#scanner.copyKey());
    }
    this.#handOn();
  }

  #handOn(): void {
    this.#sink.handOn();
    const commands = this.#batch.commands - this.#sent;
    this.#sent = this.#batch.commands;
    if (commands > 0) this.#put(this.#out, commands);
    this.#out.length = 0;
  }
}

const writtenAtATime = 2 ** 20;

class StringBody {
  readonly #batch: RespBatch;
  readonly #key: Buffer;
  readonly #bytes: StringStream;
  #at = 0;

  constructor(batch: RespBatch, scanner: LongSource, key: Buffer, { longest }: LongValueOptions) {
    this.#batch = batch;
    this.#key = key;
    const begin = (length: number) => {
      if (length > longest) throw tooLong('the value of', scanner.copyKey(), scanner.db, longest);
      if (length > 0) batch.command('SETRANGE', key, String(length - 1), '\0');
    };
    this.#bytes = new StringStream(begin, (bytes) => this.#write(bytes));
  }

  add(bytes: Buffer): void {
    this.#bytes.add(bytes);
  }

  end(): void {
    this.#bytes.end();
  }

  #write(bytes: Buffer): void {
    for (let from = 0; from < bytes.length; from += writtenAtATime) {
      const piece = bytes.subarray(from, from + writtenAtATime);
      this.#batch.command('SETRANGE', this.#key, String(this.#at), piece);
      this.#at += piece.length;
    }
  }
}

class ElementsBody {
  readonly #cursor = new Cursor();
  readonly #walker = new BodyWalker(this.#cursor);
  readonly #scanner: LongSource;
  readonly #value: CheckedValue;
  #isWhole = false;

  constructor(batch: RespBatch, scanner: LongSource, key: Buffer, options: LongValueOptions) {
    this.#scanner = scanner;
    this.#value = new CheckedValue(batch, scanner, options);
    const { kind } = typeInfo(scanner.type, scanner.flavor)!;
    if (kind === 'stream' && !can(options.target, 'streams'))
      throw cannotBeCarried(nameOf(scanner), cameWith('streams', 'streams'));
    const hasExpiry = kind === 'hash' && scanner.type >= rdbType.hashMetadataPreGa;
    this.#value.start({ keyBuf: key, keyStart: 0, keyEnd: key.length }, hasExpiry);
    this.#walker.begin(scanner.type, scanner.flavor, bodyMode.decode, this.#value);
  }

  add(bytes: Buffer): void {
    this.#cursor.append(bytes);
    this.#isWhole ||= this.#walker.step();
  }

  end(): void {
    if (!this.#isWhole) throw new Fault('truncated', 'the value ends too early', this.#cursor.offset);
    const [lacking] = this.#value.without;
    if (lacking !== undefined) throw cannotBeCarried(nameOf(this.#scanner), `without ${lacking}`);
  }
}

/** Nothing is sent that the target would not take as it is meant. */
class CheckedValue extends RespValue {
  readonly #scanner: LongSource;
  readonly #options: LongValueOptions;

  constructor(batch: RespBatch, scanner: LongSource, options: LongValueOptions) {
    super(batch, { can: (ability) => can(options.target, ability), inParts: true, repliesAreSeen: true });
    this.#scanner = scanner;
    this.#options = options;
  }

  override text(buf: Buffer, start: number, end: number): void {
    const { longest } = this.#options;
    const { db } = this.#scanner;
    if (end - start > longest) throw tooLong('an element of', this.#scanner.copyKey(), db, longest);
    super.text(buf, start, end);
  }

  override fieldExpiry(atMs: bigint | undefined): void {
    const { target } = this.#options;
    if (atMs !== undefined) {
      const why = can(target, 'fieldExpiry')
        ? whyTooLate(atMs, target)
        : cameWith('expiry of fields', 'fieldExpiry');
      if (why !== undefined) throw cannotBeCarried(nameOf(this.#scanner), why);
    }
    super.fieldExpiry(atMs);
  }
}

function nameOf(scanner: LongSource) {
  const { kind } = typeInfo(scanner.type, scanner.flavor)!;
  return { key: scanner.copyKey(), db: scanner.db, kind };
}
