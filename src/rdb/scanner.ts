import type { HoldfastError } from '../base/errors.ts';
import { bodyMode } from './body/mode.ts';
import { BodyWalker } from './body/walker.ts';
import { Crc64, hexSum } from './crc64.ts';
import { rdbError } from './errors.ts';
import { Fault } from './fault.ts';
import { isNewer, magicBytes, moduleName, newerVersion, opcode, parseMagic, type } from './format.ts';
import { readOpcode } from './opcodes.ts';
import { factsOf, type PieceFacts } from './piece.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import { ScanState } from './scan-state.ts';

export interface ScanOptions {
  /** False: the checksum is read, but not compared; for those who read a file a second time. */
  checksum?: boolean;
}

/** Hears nothing of a file that can't be read. */
const nobody: ScanHandler = { key: () => ({ mode: bodyMode.skip, raw: undefined }) };

const state = { magic: 0, opcodes: 1, body: 2, checksum: 3, done: 4 } as const;

/**
 * Reads an RDB that is pushed to it piece by piece, and tells a handler what it finds. It never waits and never
 * holds more than a key, or a part of a value that must be looked into.
 *
 * It stops at the end of the RDB by itself, so a stream may go on behind it: `push` returns how many bytes it took.
 */
export class Scanner extends ScanState {
  /** The checksum of all that was read. */
  readonly crc = new Crc64();

  private readonly handler: ScanHandler;
  private readonly walker: BodyWalker;
  readonly withChecksum: boolean;
  private state: number = state.magic;
  private crcOffset = 0;
  /** What is known of the piece that arrived last, and where in the file it stands. */
  private known: PieceFacts | undefined;
  private knownFrom = 0;
  private knownTo = 0;
  private readonly rangeCrc = new Crc64();
  private rawOffset = -1;
  private hasKey = false;
  private bodyIsWalked = false;
  /** Only who wrote it is still looked for, to be named. */
  private isTooNew = false;

  constructor(handler: ScanHandler, options: ScanOptions = {}) {
    super();
    this.handler = handler;
    this.walker = new BodyWalker(this.cursor);
    this.withChecksum = options.checksum ?? true;
  }

  /** True once the end mark and the checksum have been read. */
  get isDone(): boolean {
    return this.state === state.done;
  }

  /**
   * Takes the next bytes, which must stay as they are until the next call. Returns how many belong to the RDB:
   * fewer than given only when it ended among them.
   * @throws RDB_CORRUPT, RDB_TRUNCATED, RDB_UNSUPPORTED, RDB_TOO_LARGE, with a `problem` that tells the place.
   */
  push(chunk: Buffer): number {
    if (this.state === state.done) return 0;
    this.keepKey();
    this.known = factsOf(chunk);
    this.knownFrom = this.cursor.base + this.cursor.end;
    this.knownTo = this.knownFrom + chunk.length;
    this.cursor.append(chunk, this.known?.room);
    try {
      this.run();
    } catch (error) {
      throw this.translate(error);
    }
    this.passRaw();
    this.handler.settle?.();
    // Unless the end has been read, all that arrived is summed up; but without a sum at hand only what has been read,
    // for the sake of `sumRange`.
    const isInside = this.known !== undefined && this.state < state.checksum;
    this.sumUp(isInside ? this.knownTo : this.offset);
    return this.isDone ? chunk.length - (this.cursor.end - this.cursor.pos) : chunk.length;
  }

  /** Must be called when the bytes are over. @throws RDB_TRUNCATED unless the RDB was whole. */
  finish(): void {
    if (this.isDone) return;
    const arrived = this.cursor.base + this.cursor.end;
    const reason =
      arrived === 0
        ? 'the file is empty'
        : `the file ends here, inside ${this.whatIsUnderWay()}${this.missing(arrived)}`;
    throw this.translate(new Fault('truncated', reason, arrived));
  }

  /**
   * The checksum of a range of the buffer at hand, started at 0, so that bytes that are copied are summed up only
   * once. Undefined when it cannot tell: the range was passed already, or no checksum is wanted.
   */
  sumRange(buf: Buffer, from: number, to: number): Crc64 | undefined {
    const { cursor, rangeCrc } = this;
    if (!this.withChecksum || buf !== cursor.buf || cursor.base + from < this.crcOffset) return undefined;
    this.sumUp(cursor.base + from);
    const known = this.knownSumOf(cursor.base + from, cursor.base + to);
    rangeCrc.low = known?.low ?? 0;
    rangeCrc.high = known?.high ?? 0;
    if (known === undefined) rangeCrc.update(buf, from, to);
    this.crc.append(rangeCrc.low, rangeCrc.high, to - from);
    this.crcOffset = cursor.base + to;
    return rangeCrc;
  }

  private run(): void {
    if (this.state === state.magic && !this.readMagic()) return;
    while (
      this.state === state.body ? this.readBody() : this.state === state.opcodes && this.readEntryHead()
    );
    if (this.state === state.checksum) this.readChecksum();
  }

  private readMagic(): boolean {
    const { cursor } = this;
    if (!cursor.has(magicBytes)) {
      // A file that is no RDB is told at once, not when it turns out to be shorter than a magic.
      const prefix = cursor.buf.toString('latin1', cursor.pos, cursor.end);
      if (!'REDIS'.startsWith(prefix.slice(0, 5)) && !'VALKEY'.startsWith(prefix.slice(0, 6))) {
        parseMagic(cursor.buf.subarray(cursor.pos, cursor.end));
      }
      return false;
    }
    this.header = parseMagic(cursor.buf.subarray(cursor.pos, cursor.pos + magicBytes));
    cursor.pos += magicBytes;
    this.state = state.opcodes;
    this.isTooNew = isNewer(this.header);
    if (!this.isTooNew) this.handler.header?.(this.header);
    return true;
  }

  /** Reads opcodes up to and with the next key. Goes back to where the entry starts when bytes are missing. */
  private readEntryHead(): boolean {
    const { cursor } = this;
    const handler = this.isTooNew ? nobody : this.handler;
    this.hasKey = false;
    if (cursor.pos >= cursor.end) return false;
    const start = cursor.pos;
    const lead = cursor.buf[start]!;
    if (this.isTooNew && lead !== opcode.aux) throw newerVersion(this.header, this.writtenBy);
    this.entryOffset = cursor.base + start;
    if (lead === opcode.end) {
      cursor.pos += 1;
      this.state = state.checksum;
      return false;
    }
    this.expireMs = -1;
    this.expireHigh = -1;
    this.expireLow = -1;
    this.idle = -1;
    this.freq = -1;
    this.hasMetadata = false;
    const found = readOpcode(this, handler);
    if (found === undefined) {
      cursor.pos = start;
      return false;
    }
    if (found === 'other') return true;
    if ((found === 'moduleAux' || this.type === type.module2) && !this.peekModule()) {
      cursor.pos = start;
      return false;
    }
    if (found === 'moduleAux') {
      this.beginBody(handler.moduleAux?.(this) ?? { mode: bodyMode.skip, raw: undefined }, true);
      return true;
    }
    this.hasKey = true;
    this.beginBody(handler.key(this), false);
    return true;
  }

  /** The body of a module's value starts with an id, by which its reader may want to choose. */
  private peekModule(): boolean {
    const { cursor } = this;
    const start = cursor.pos;
    if (!cursor.readCount()) return false;
    cursor.pos = start;
    this.moduleType = moduleName(cursor.lengthHigh, cursor.lengthLow).name;
    return true;
  }

  private beginBody(wish: BodyWish, isModuleAux: boolean): void {
    if (isModuleAux) this.walker.beginModuleAux(wish.mode, wish.visitor);
    else this.walker.begin(this.type, this.flavor, wish.mode, wish.visitor);
    this.rawOffset =
      wish.raw === undefined ? -1 : wish.raw === 'entry' ? this.entryOffset : this.cursor.offset;
    this.bodyIsWalked = false;
    this.state = state.body;
  }

  private readBody(): boolean {
    // A body that was walked ends only when its last bytes, passed over in advance, have come.
    if (!this.bodyIsWalked && !this.walker.step()) return false;
    this.bodyIsWalked = true;
    if (this.cursor.pos > this.cursor.end) return false;
    this.isEmpty = this.walker.isEmpty;
    this.passRaw();
    this.rawOffset = -1;
    this.state = state.opcodes;
    this.handler.end?.(this);
    return true;
  }

  private readChecksum(): void {
    const { cursor } = this;
    if (this.header.version < 5) {
      this.sumUp(cursor.offset);
      this.checksum = 'absent';
      this.state = state.done;
      return;
    }
    this.sumUp(cursor.offset);
    if (!cursor.has(8)) return;
    const low = cursor.buf.readInt32LE(cursor.pos);
    const high = cursor.buf.readInt32LE(cursor.pos + 4);
    if (low === 0 && high === 0) this.checksum = 'absent';
    else if (!this.withChecksum) this.checksum = 'ignored';
    else if (low === this.crc.low && high === this.crc.high) this.checksum = 'matches';
    else {
      const sums = `the file says ${hexSum(high, low)}, its bytes give ${this.crc}`;
      throw new Fault('corrupt', `wrong checksum: ${sums}`, cursor.offset);
    }
    cursor.pos += 8;
    this.crcOffset = cursor.offset;
    this.state = state.done;
  }

  private sumUp(to: number): void {
    if (!this.withChecksum || to <= this.crcOffset) return;
    const { cursor, crcOffset } = this;
    const known = this.knownSumOf(crcOffset, to);
    if (known === undefined) this.crc.update(cursor.buf, crcOffset - cursor.base, to - cursor.base);
    else this.crc.append(known.low, known.high, to - crcOffset);
    this.crcOffset = to;
  }

  private knownSumOf(from: number, to: number): PieceFacts | undefined {
    return from === this.knownFrom && to === this.knownTo ? this.known : undefined;
  }

  private passRaw(): void {
    const { cursor, rawOffset } = this;
    if (rawOffset < 0) return;
    const to = this.offset;
    if (to > rawOffset) this.handler.raw?.(cursor.buf, rawOffset - cursor.base, to - cursor.base);
    this.rawOffset = to;
  }

  /** The buffer a key stands in may be used again; a key whose body goes on is copied, for the error it may meet. */
  private keepKey(): void {
    if (this.state !== state.body || !this.hasKey) return;
    if (this.keyStart === 0 && this.keyEnd === this.keyBuf.length) return;
    this.keyBuf = this.copyKey();
    this.keyStart = 0;
    this.keyEnd = this.keyBuf.length;
  }

  private translate(error: unknown): HoldfastError | unknown {
    if (!(error instanceof Fault)) return error;
    if (this.isTooNew) return rdbError(newerVersion(this.header, this.writtenBy));
    return this.hasKey ? rdbError(error, this.db, this.copyKey()) : rdbError(error);
  }

  private whatIsUnderWay(): string {
    if (this.state === state.magic) return 'the header';
    if (this.state === state.body) return this.hasKey ? `a ${this.walker.kind}` : 'module data';
    if (this.state === state.checksum) return 'the checksum';
    return 'the keys: the end mark is missing';
  }

  private missing(arrived: number): string {
    const lacking = this.cursor.offset - arrived;
    return lacking > 0 ? `, which goes on for ${lacking} bytes at least` : '';
  }
}
