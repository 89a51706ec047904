import { Fault } from './fault.ts';
import { bigintOf } from './int64.ts';
import { writeInteger } from './integer-text.ts';
import { LzfChecker, lzfCanBe, lzfDecompress } from './lzf.ts';

/**
 * A position in a file that arrives in pieces. The rules that keep it fast and small:
 *
 * - `buf[pos, end)` is what has arrived and is not read yet. A reader that needs more puts `pos` back, returns
 *   false, and is called again when there is more: no callbacks, no promises, no copy of its state.
 * - `pos` may stand past `end`: those bytes are skipped when they come, so a body of any length is passed over
 *   without being held.
 * - Memory follows what has arrived, never what a length claims.
 *
 * Lengths and strings: source redis src/rdb.c (rdbLoadLenByRef, rdbGenericLoadStringObject).
 */
const maxHeldBytes = 2 ** 30;
/** No file is longer; a length above it is nonsense, whatever follows. */
const maxLength = 2 ** 48;
const keepOwnBytes = 4 * 2 ** 20;
/** From here on a copy costs more than another place to unpack to. */
const givenBytes = 2 ** 20;
const empty = Buffer.alloc(0);

export class Cursor {
  buf: Buffer = empty;
  pos = 0;
  end = 0;
  /** Where buf[0] stands in the file. */
  base = 0;
  /** Bytes from `pos` that the reader is waiting for, when it knows; a hint for how far to grow. */
  wanted = 0;
  /** True: compressed strings that are skipped are checked on the way. */
  checkLzf = false;

  /** The last length read: the number (inexact above 2^53), and its two halves. */
  length = 0;
  lengthHigh = 0;
  lengthLow = 0;
  /** The special encoding read instead of a length: 0-2 integers, 3 LZF; -1 when it was a length. */
  encoding = -1;

  /** The last string taken: text[textStart, textEnd), valid until the next one is taken. */
  text: Buffer = empty;
  textStart = 0;
  textEnd = 0;
  /** Where in the file the string's own bytes start, or -1 when it was compressed. */
  textOffset = 0;

  private own: Buffer | undefined;
  private scratch: Buffer = Buffer.allocUnsafe(4096);
  private readonly digits: Buffer = Buffer.allocUnsafe(32);
  private readonly lzf = new LzfChecker();

  /** The last length read, exactly. */
  get bigLength(): bigint {
    return BigInt.asUintN(64, bigintOf(this.lengthHigh, this.lengthLow));
  }

  /** Where the next byte stands in the file. */
  get offset(): number {
    return this.base + this.pos;
  }

  /**
   * Adds what arrived. The chunk belongs to the cursor until the next call, and so do the bytes of memory before it.
   * @param room how many those are.
   */
  append(chunk: Buffer, room = 0): void {
    if (this.pos >= this.end) {
      this.base += this.end;
      this.pos -= this.end;
      this.buf = chunk;
      this.end = chunk.length;
      return;
    }
    const rest = this.end - this.pos;
    const total = rest + chunk.length;
    if (rest <= room) {
      // What is left is put before what came: it is a few bytes, as a rule, and the chunk half a million.
      const joined = Buffer.from(chunk.buffer, chunk.byteOffset - rest, total);
      this.buf.copy(joined, 0, this.pos, this.end);
      this.base += this.pos;
      this.buf = joined;
      this.pos = 0;
      this.end = total;
      return;
    }
    let own = this.own;
    if (own === this.buf && own.length - this.end >= chunk.length) {
      this.end += chunk.copy(own, this.end);
      return;
    }
    if (own === undefined || own.length < total || (own.length > keepOwnBytes && total * 4 < own.length)) {
      // A long string that is awaited doubles what is held each time, so that it is not copied again and again.
      own = Buffer.allocUnsafeSlow(Math.max(total, Math.min(this.wanted + chunk.length, total * 2)));
      this.own = own;
    }
    this.buf.copy(own, 0, this.pos, this.end);
    chunk.copy(own, rest);
    this.base += this.pos;
    this.buf = own;
    this.pos = 0;
    this.end = total;
  }

  /** Reads a length, or the mark of a special encoding. False when more bytes are needed. */
  readLength(): boolean {
    const { buf, pos, end } = this;
    if (pos >= end) return false;
    const first = buf[pos]!;
    this.encoding = -1;
    this.lengthHigh = 0;
    if (first < 0x40) {
      this.lengthLow = this.length = first;
      this.pos = pos + 1;
      return true;
    }
    if (first < 0x80) {
      if (pos + 2 > end) return false;
      this.lengthLow = this.length = ((first & 0x3f) << 8) | buf[pos + 1]!;
      this.pos = pos + 2;
      return true;
    }
    if (first === 0x80) {
      if (pos + 5 > end) return false;
      this.length = buf.readUInt32BE(pos + 1);
      this.lengthLow = this.length | 0;
      this.pos = pos + 5;
      return true;
    }
    if (first === 0x81) {
      if (pos + 9 > end) return false;
      this.lengthHigh = buf.readInt32BE(pos + 1);
      this.lengthLow = buf.readInt32BE(pos + 5);
      this.length = (this.lengthHigh >>> 0) * 4294967296 + (this.lengthLow >>> 0);
      this.pos = pos + 9;
      return true;
    }
    if (first < 0xc0) throw new Fault('corrupt', `no length starts with ${hex(first)}`, this.base + pos);
    this.encoding = first & 0x3f;
    this.pos = pos + 1;
    return true;
  }

  /** Reads a length where nothing else may stand. */
  readCount(): boolean {
    const start = this.pos;
    if (!this.readLength()) return false;
    if (this.encoding >= 0)
      throw new Fault('corrupt', 'a length is expected here, not a string', this.base + start);
    return true;
  }

  /** Passes over a string. False when it must be called again with more bytes. */
  skipString(): boolean {
    if (this.lzf.left > 0) return this.stepLzf();
    const start = this.pos;
    if (!this.readLength()) return false;
    if (this.encoding < 0) {
      this.pos += this.boundedLength(start);
      return true;
    }
    if (this.encoding <= 2) {
      this.pos += 1 << this.encoding;
      return true;
    }
    if (!this.readLzfHeader(start)) return false;
    if (!this.checkLzf) {
      this.pos += this.packed;
      return true;
    }
    this.lzf.start(this.packed, this.length);
    return this.stepLzf();
  }

  /**
   * Takes a string whole, as bytes. False when more bytes are needed. @param most how many it may have; a longer one is
   * refused by its length, before anything is waited for or unpacked.
   */
  takeString(most = maxHeldBytes): boolean {
    const start = this.pos;
    if (!this.readLength()) return false;
    if (this.encoding < 0) {
      const length = this.boundedLength(start);
      if (length > most) throw tooLarge(length, most, this.base + start);
      if (!this.holds(start, length)) return false;
      this.text = this.buf;
      this.textStart = this.pos;
      this.textOffset = this.base + this.pos;
      this.pos += length;
      this.textEnd = this.pos;
      return true;
    }
    if (this.encoding <= 2) return this.takeInteger(start);
    if (!this.readLzfHeader(start)) return false;
    if (this.length > most) throw tooLarge(this.length, most, this.base + start);
    if (!this.holds(start, this.packed)) return false;
    if (this.scratch.length < this.length) {
      this.scratch = Buffer.allocUnsafeSlow(Math.max(this.length, Math.min(this.length * 2, keepOwnBytes)));
    } else if (this.scratch.length > keepOwnBytes && this.length < 2 ** 20) {
      this.scratch = Buffer.allocUnsafeSlow(2 ** 20);
    }
    const stop = this.pos + this.packed;
    lzfDecompress(this.buf, this.pos, stop, this.scratch, this.length, this.base + this.pos);
    this.pos = stop;
    this.text = this.scratch;
    this.textStart = 0;
    this.textEnd = this.length;
    this.textOffset = -1;
    return true;
  }

  /** The string last taken, to be kept: a long one that was unpacked is given away, others are copied. */
  keepText(): Buffer {
    const { text, textStart, textEnd } = this;
    const kept = text.subarray(textStart, textEnd);
    if (text !== this.scratch || kept.length < givenBytes) return Buffer.from(kept);
    this.scratch = Buffer.allocUnsafe(4096);
    return kept;
  }

  /** Passes over `count` bytes, which need not have arrived. */
  skip(count: number): void {
    this.pos += count;
  }

  /** Whether `count` bytes can be read at `pos`. */
  has(count: number): boolean {
    return this.pos + count <= this.end;
  }

  /** Compressed bytes of the LZF string whose header was just read. */
  private packed = 0;

  private readLzfHeader(start: number): boolean {
    if (this.encoding !== 3) {
      throw new Fault('corrupt', `unknown string encoding ${this.encoding}`, this.base + start);
    }
    if (!this.readCount()) return this.rewind(start);
    const packed = this.length;
    if (!this.readCount()) return this.rewind(start);
    if (!lzfCanBe(packed, this.length)) {
      const claim = `${packed} compressed bytes cannot be ${this.length}`;
      throw new Fault('corrupt', `compressed string: ${claim}`, this.base + start);
    }
    this.encoding = 3;
    this.packed = packed;
    return true;
  }

  private takeInteger(start: number): boolean {
    const size = 1 << this.encoding;
    if (!this.has(size)) return this.rewind(start);
    const { buf, pos } = this;
    const value = size === 1 ? buf.readInt8(pos) : size === 2 ? buf.readInt16LE(pos) : buf.readInt32LE(pos);
    this.pos = pos + size;
    this.text = this.digits;
    this.textStart = 0;
    this.textEnd = writeInteger(this.digits, 0, value);
    this.textOffset = -1;
    return true;
  }

  private stepLzf(): boolean {
    if (this.pos < this.end) this.pos = this.lzf.advance(this.buf, this.pos, this.end, this.base);
    return this.lzf.left === 0;
  }

  private boundedLength(start: number): number {
    if (this.length > maxLength) {
      throw new Fault(
        'corrupt',
        `a string claims ${this.length} bytes, more than any file has`,
        this.base + start,
      );
    }
    return this.length;
  }

  /** Whether `length` bytes at `pos` have arrived; if not, goes back to `start` to wait for them. */
  private holds(start: number, length: number): boolean {
    if (this.pos + length <= this.end) return true;
    if (length > maxHeldBytes) throw tooLarge(length, maxHeldBytes, this.base + start);
    this.wanted = this.pos + length - start;
    return this.rewind(start);
  }

  private rewind(start: number): false {
    this.pos = start;
    return false;
  }
}

function tooLarge(length: number, most: number, offset: number): Fault {
  return new Fault('too-large', `a string of ${length} bytes, where at most ${most} are taken`, offset);
}

export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
