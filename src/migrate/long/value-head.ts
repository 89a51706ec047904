/** What DUMP gave, as it comes: what stands before the value, the value, and what stands behind it. */
import { Cursor } from '../../rdb/cursor.ts';
import { opcode } from '../../rdb/format.ts';
import { passKeyMetadata } from '../../rdb/key-metadata.ts';
import type { ComingValue } from './coming-value.ts';

/** Version and sum. */
export const footerBytes = 10;

/** What a value begins with; and then all of it. */
export class Head {
  readonly value: ComingValue;
  /** The type of what DUMP gave, as the byte in it. */
  readonly type: number;
  /** What stands before that byte: what modules keep of the key. */
  readonly before: number;
  readonly #first: Buffer;

  private constructor(value: ComingValue, first: Buffer, before: number) {
    this.value = value;
    this.#first = first;
    this.before = before;
    this.type = first[before] ?? 0;
  }

  /** @returns undefined for what is cut off within it. @throws REDIS_UNREACHABLE */
  static async of(value: ComingValue): Promise<Head | undefined> {
    let first = Buffer.alloc(0);
    for (;;) {
      const { value: piece, done } = await value.pieces.next();
      if (done === true) return value.as === 'text' ? new Head(value, first, 0) : undefined;
      first = Buffer.concat([first, piece]);
      if (value.as === 'text' || first[0] !== opcode.keyMetadata) return new Head(value, first, 0);
      const cursor = new Cursor();
      cursor.append(first);
      cursor.pos = 1;
      if (passKeyMetadata(cursor) && cursor.has(1)) return new Head(value, first, cursor.pos);
    }
  }

  /** Can be read once. A piece is valid until the next is asked for. */
  async *bytes(): AsyncGenerator<Buffer> {
    yield this.#first;
    yield* this.value.pieces;
  }

  /**
   * Of what DUMP gave the value without its type, of which `footer` then has what stands behind it.
   * @param from how many bytes of all are passed over
   */
  async *body(from: number, footer: Buffer): AsyncGenerator<Buffer> {
    const until = this.value.bytes - footerBytes;
    let at = 0;
    for await (const piece of this.bytes()) {
      const [start, stop] = [Math.max(0, from - at), Math.max(0, until - at)];
      if (stop < piece.length) piece.copy(footer, Math.max(0, at - until), stop);
      const here = piece.subarray(start, stop);
      at += piece.length;
      if (here.length > 0) yield here;
    }
  }
}
