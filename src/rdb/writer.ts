import type { ByteSink } from './byte-sink.ts';
import { Crc64 } from './crc64.ts';
import { type Flavor, opcode } from './format.ts';

/** What stands before a key's value. Times and counters are -1 when there are none, as in the scanner. */
export interface EntryHead {
  /** When it expires, milliseconds since 1970, as two halves; both -1 when it does not. */
  expireHigh: number;
  expireLow: number;
  idle: number;
  freq: number;
  type: number;
}

export interface RangeSums {
  sumRange(buf: Buffer, from: number, to: number): Crc64 | undefined;
}

/** Below this, taking a sum over takes longer than summing up again. */
const sumsWorthTaking = 8192;

/**
 * Writes an RDB into a sink: header, marks, bodies that were read elsewhere, end mark and checksum. Ranges of the
 * same buffer that follow each other are copied in one go, which is what makes merging fast; `settle` must be
 * called before such a buffer changes.
 */
export class RdbWriter {
  /** Knows the checksums of ranges that are copied; the scanner they come from. */
  source: RangeSums | undefined;
  readonly sink: ByteSink;
  readonly flavor: Flavor;
  readonly version: number;
  /** Keys written, by whoever writes them. */
  keys = 0;
  private readonly crc = new Crc64();
  private crcPos = 0;
  private isSummed = false;
  private db = -1;
  private pending: Buffer | undefined;
  private pendingFrom = 0;
  private pendingTo = 0;

  constructor(sink: ByteSink, flavor: Flavor, version: number) {
    this.sink = sink;
    this.flavor = flavor;
    this.version = version;
    sink.onPiece = (buf, end) => {
      if (!this.isSummed) this.crc.update(buf, this.crcPos, end);
      this.crcPos = 0;
    };
  }

  /** The magic and the fields about the file. Values are text or integers. */
  begin(aux: [name: string, value: string | number][]): void {
    const digits = String(this.version).padStart(this.flavor === 'redis' ? 4 : 3, '0');
    this.sink.ascii(`${this.flavor === 'redis' ? 'REDIS' : 'VALKEY'}${digits}`);
    if (this.version < 7) return;
    for (const [name, value] of aux) {
      this.sink.byte(opcode.aux);
      this.text(Buffer.from(name));
      this.text(Buffer.from(String(value)));
    }
  }

  /** Says which database the next keys belong to, unless that is clear. */
  selectDb(db: number): void {
    if (db === this.db) return;
    this.settle();
    this.db = db;
    this.sink.byte(opcode.selectDb);
    this.length(db);
  }

  functionLibrary(code: Buffer): void {
    this.settle();
    this.sink.byte(opcode.function2);
    this.text(code);
  }

  /** Marks, type and key, made anew; the body must follow. */
  entryHead(head: EntryHead, key: Buffer, from: number, to: number): void {
    this.settle();
    const { sink } = this;
    sink.reserve(32);
    if (head.expireHigh !== -1 || head.expireLow !== -1) {
      sink.byte(opcode.expireMs);
      sink.buf.writeInt32LE(head.expireHigh, sink.pos + 4);
      sink.buf.writeInt32LE(head.expireLow, sink.pos);
      sink.pos += 8;
    }
    if (this.version >= 9 && head.idle !== -1) {
      sink.byte(opcode.idle);
      this.length(head.idle);
    }
    if (this.version >= 9 && head.freq !== -1) {
      sink.byte(opcode.freq);
      sink.byte(head.freq);
    }
    sink.byte(head.type);
    this.length(to - from);
    sink.copy(key, from, to);
  }

  /** Bytes as they are. */
  bytes(buf: Buffer, from: number, to: number): void {
    if (this.pending === buf && this.pendingTo === from) {
      this.pendingTo = to;
      return;
    }
    this.settle();
    this.pending = buf;
    this.pendingFrom = from;
    this.pendingTo = to;
  }

  /** Copies the range that waits. */
  settle(): void {
    const { pending, pendingFrom, pendingTo, sink, crc } = this;
    if (pending === undefined) return;
    this.pending = undefined;
    const isLong = pendingTo - pendingFrom >= sumsWorthTaking;
    const sum = isLong ? this.source?.sumRange(pending, pendingFrom, pendingTo) : undefined;
    if (sum === undefined) {
      sink.copy(pending, pendingFrom, pendingTo);
      return;
    }
    crc.update(sink.buf, this.crcPos, sink.pos);
    crc.append(sum.low, sum.high, pendingTo - pendingFrom);
    this.isSummed = true;
    sink.copy(pending, pendingFrom, pendingTo);
    this.isSummed = false;
    this.crcPos = sink.pos;
  }

  /** End mark and checksum. The sink must still be flushed. */
  finish(): void {
    this.settle();
    const { sink } = this;
    sink.byte(opcode.end);
    sink.reserve(8);
    this.crc.update(sink.buf, this.crcPos, sink.pos);
    this.crc.writeTo(sink.buf, sink.pos);
    sink.pos += 8;
    this.crcPos = sink.pos;
  }

  private text(bytes: Buffer): void {
    this.length(bytes.length);
    this.sink.copy(bytes, 0, bytes.length);
  }

  private length(value: number): void {
    this.sink.reserve(9);
    this.sink.pos = putLength(this.sink.buf, this.sink.pos, value);
  }
}

/** Puts a length in its shortest form; returns where it ends. Needs up to 9 bytes. */
export function putLength(target: Buffer, at: number, value: number): number {
  if (value < 0x40) {
    target[at] = value;
    return at + 1;
  }
  if (value < 0x4000) {
    target[at] = 0x40 | (value >>> 8);
    target[at + 1] = value & 0xff;
    return at + 2;
  }
  if (value <= 0xffffffff) {
    target[at] = 0x80;
    return target.writeUInt32BE(value, at + 1);
  }
  target[at] = 0x81;
  return target.writeBigUInt64BE(BigInt(value), at + 1);
}
