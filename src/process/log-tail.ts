/** The end of a log, and what is written to it from then on, also when it is renamed and begun anew meanwhile. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** More is not looked through for the last lines of one log. */
const mostBytes = 4 * 2 ** 20;

export class LogTail {
  readonly #file: string;
  #handle: number | null = null;
  #position = 0;
  /** The beginning of a line whose end is not there yet. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: string) {
    this.#file = file;
  }

  /** The last lines that are there, at most so many; what comes after them is for `more`. */
  last(count: number): string[] {
    this.#open();
    if (this.#handle === null) return [];
    const { size } = fstatSync(this.#handle);
    this.#position = Math.max(0, size - mostBytes);
    const cut = this.#position > 0;
    const lines = this.#read();
    const whole = cut ? lines.slice(1) : lines;
    return count === 0 ? [] : whole.slice(-count);
  }

  /** The lines that came since it was asked last. */
  more(): string[] {
    this.#open();
    if (this.#handle === null) return [];
    const lines = this.#read();
    if (!this.#isReplaced(this.#handle)) return lines;
    this.close();
    this.#open();
    return [...lines, ...(this.#handle === null ? [] : this.#read())];
  }

  close(): void {
    if (this.#handle !== null) closeSync(this.#handle);
    this.#handle = null;
    this.#position = 0;
    this.#rest = Buffer.alloc(0);
  }

  #open(): void {
    if (this.#handle !== null) return;
    try {
      this.#handle = openSync(this.#file, 'r');
    } catch {
      // It is not there yet, or not any more.
    }
  }

  #isReplaced(handle: number): boolean {
    const { ino, size } = fstatSync(handle);
    if (size < this.#position) return true;
    return statSync(this.#file, { throwIfNoEntry: false })?.ino !== ino;
  }

  #read(): string[] {
    const piece = Buffer.alloc(65_536);
    const pieces = [this.#rest];
    for (;;) {
      const bytes = readSync(this.#handle as number, piece, 0, piece.length, this.#position);
      if (bytes === 0) break;
      this.#position += bytes;
      pieces.push(Buffer.from(piece.subarray(0, bytes)));
    }
    const all = Buffer.concat(pieces);
    const end = all.lastIndexOf(10);
    this.#rest = all.subarray(end + 1);
    return end === -1 ? [] : all.subarray(0, end).toString('utf8').split('\n');
  }
}
