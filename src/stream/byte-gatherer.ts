import { Buffer } from 'node:buffer';
import { Crc64 } from '../rdb/crc64.ts';
import { writeInteger } from '../rdb/integer-text.ts';
import { copyShort, longBytes, sameViewOf, viewOf } from '../rdb/short-copy.ts';
import { CR, DOLLAR, LF, STAR } from '../resp/bytes.ts';
import type { CommandFramer } from './command-framer.ts';

/** A value as RESTORE takes it, put together where it is written: what DUMP would give. */
export interface Dumped {
  type: number;
  body: Buffer;
  version: number;
}

export type Part = string | Buffer | Dumped;

/** The type before a value; version and checksum behind it. */
export const dumpedMoreBytes = 11;
/** More than a line with a length takes. */
const lineBytes = 24;
/** From here on a call costs less than a loop. */
const fewBytes = 48;
/** Of strings up to this length it is seen byte by byte whether they are ASCII, which is faster than to ask. */
const shortString = 64;

/** Commands one behind the other, in memory that grows as it must. */
export class ByteGatherer {
  readonly #crc = new Crc64();
  readonly #expected: number;
  #buf: Buffer;
  /** Of all of `buf`. */
  #view: DataView;
  #used = 0;

  /** @param expected about how many bytes will come. */
  constructor(expected: number) {
    this.#expected = expected;
    this.#buf = Buffer.allocUnsafeSlow(expected);
    this.#view = viewOf(this.#buf);
  }

  get length(): number {
    return this.#used;
  }

  /** The last so many bytes that the framer went past. */
  addPassed(framer: CommandFramer, bytes: number): void {
    this.#reserve(bytes);
    this.#used = framer.copyPassed(bytes, this.#buf, this.#used);
  }

  add(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#bytes(bytes);
  }

  /** Written where it will stand: a copy makes millions of these. */
  addCommand(parts: readonly Part[]): void {
    let bytes = lineBytes;
    for (const part of parts) bytes += lineBytes + mostBytes(part);
    this.#reserve(bytes);
    this.#line(STAR, parts.length);
    for (const part of parts) {
      if (typeof part === 'string') this.#string(part);
      else if (Buffer.isBuffer(part)) {
        this.#line(DOLLAR, part.length);
        this.#bytes(part);
      } else this.#dumped(part);
      this.#end();
    }
  }

  /** One argument of a command: from[start, end), out of memory that many come from. */
  addBulkOf(from: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#reserve(lineBytes + length);
    this.#line(DOLLAR, length);
    if (length < longBytes) copyShort(this.#view, this.#used, sameViewOf(from), start, end);
    else from.copy(this.#buf, this.#used, start, end);
    this.#used += length;
    this.#end();
  }

  /** One argument of a command. */
  addBulk(bytes: Buffer): void {
    this.#reserve(lineBytes + bytes.length);
    this.#line(DOLLAR, bytes.length);
    this.#bytes(bytes);
    this.#end();
  }

  /** What was gathered in [from, to). Shares its memory. */
  slice(from: number, to: number): Buffer {
    return this.#buf.subarray(from, to);
  }

  /** Nothing is gathered any more, and its memory is used again: nobody may hold a slice. */
  clear(): void {
    this.#used = 0;
    if (this.#buf.length > this.#expected * 4) this.#use(Buffer.allocUnsafeSlow(this.#expected));
  }

  #line(mark: number, count: number): void {
    this.#buf[this.#used] = mark;
    this.#used = writeInteger(this.#buf, this.#used + 1, count);
    this.#end();
  }

  #end(): void {
    this.#buf[this.#used++] = CR;
    this.#buf[this.#used++] = LF;
  }

  #bytes(bytes: Buffer): void {
    const { length } = bytes;
    if (length < fewBytes) for (let at = 0; at < length; at++) this.#buf[this.#used + at] = bytes[at]!;
    else this.#buf.set(bytes, this.#used);
    this.#used += length;
  }

  #string(text: string): void {
    if (text.length > shortString || !isAscii(text)) {
      const bytes = Buffer.from(text);
      this.#line(DOLLAR, bytes.length);
      this.#bytes(bytes);
      return;
    }
    this.#line(DOLLAR, text.length);
    for (let at = 0; at < text.length; at++) this.#buf[this.#used++] = text.charCodeAt(at);
  }

  /** See rdb/restore-payload.ts. */
  #dumped({ type, body, version }: Dumped): void {
    this.#line(DOLLAR, body.length + dumpedMoreBytes);
    const from = this.#used;
    this.#buf[this.#used++] = type;
    this.#bytes(body);
    this.#buf[this.#used++] = version & 255;
    this.#buf[this.#used++] = version >>> 8;
    const crc = this.#crc;
    crc.low = 0;
    crc.high = 0;
    crc.updateView(this.#view, from, this.#used);
    crc.writeTo(this.#buf, this.#used);
    this.#used += 8;
  }

  #reserve(more: number): void {
    const wanted = this.#used + more;
    if (wanted <= this.#buf.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buf.length * 2, wanted));
    this.#buf.copy(larger, 0, 0, this.#used);
    this.#use(larger);
  }

  #use(buf: Buffer): void {
    this.#buf = buf;
    this.#view = viewOf(buf);
  }
}

function mostBytes(part: Part): number {
  if (typeof part === 'string') return part.length * 3;
  return Buffer.isBuffer(part) ? part.length : part.body.length + dumpedMoreBytes;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false;
  return true;
}
