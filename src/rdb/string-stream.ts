/** The body of a string as its bytes arrive, unpacked where it is compressed: of any length, and nothing of it is held. */
import { Cursor } from './cursor.ts';
import { Fault } from './fault.ts';
import { LzfStream } from './lzf-stream.ts';

export class StringStream {
  readonly #give: (bytes: Buffer) => void;
  readonly #begin: (length: number) => void;
  #cursor: Cursor | undefined = new Cursor();
  #lzf: LzfStream | undefined;
  #length = 0;
  #given = 0;

  /**
   * @param begin is told how long it is. @param give takes what it has, piece by piece; compressed ones come in memory that is
   * used again behind the call.
   */
  constructor(begin: (length: number) => void, give: (bytes: Buffer) => void) {
    this.#begin = begin;
    this.#give = (bytes) => {
      this.#given += bytes.length;
      give(bytes);
    };
  }

  /** The next bytes, which must stay as they are until the next come. @throws Fault */
  add(bytes: Buffer): void {
    const rest = this.#cursor === undefined ? bytes : this.#head(this.#cursor, bytes);
    if (rest.length === 0) return;
    if (this.#lzf === undefined) this.#give(rest);
    else this.#lzf.add(rest);
  }

  /** All of it has come. @throws Fault */
  end(): void {
    this.#lzf?.end();
    if (this.#cursor === undefined && this.#given === this.#length) return;
    throw new Fault('truncated', 'the string ends too early', this.#given);
  }

  /** @returns what stands behind the head; nothing as long as that is not whole. */
  #head(cursor: Cursor, bytes: Buffer): Buffer {
    cursor.append(bytes);
    const start = cursor.pos;
    const isWhole = this.#read(cursor, start);
    if (!isWhole) {
      cursor.pos = start;
      return bytes.subarray(0, 0);
    }
    this.#cursor = undefined;
    return cursor.buf.subarray(cursor.pos, cursor.end);
  }

  #read(cursor: Cursor, start: number): boolean {
    if (!cursor.readLength()) return false;
    const { encoding } = cursor;
    if (encoding === -1) this.#start(cursor.length);
    else if (encoding === 3) {
      if (!cursor.readCount() || !cursor.readCount()) return false;
      this.#lzf = new LzfStream(cursor.length, this.#give);
      this.#start(cursor.length);
    } else {
      cursor.pos = start;
      if (!cursor.takeString()) return false;
      this.#start(cursor.textEnd - cursor.textStart);
      this.#give(cursor.text.subarray(cursor.textStart, cursor.textEnd));
    }
    return true;
  }

  #start(length: number): void {
    this.#length = length;
    this.#begin(length);
  }
}
