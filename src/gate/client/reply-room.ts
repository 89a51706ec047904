import { Buffer } from 'node:buffer';
import { writeError } from '../../resp/write.ts';

/**
 * Room for what the gate itself tells in one answer of what clients have said of themselves: no more than a client may leave
 * unread. What would be longer is not made, and an error takes its place.
 */
export class ReplyRoom {
  readonly #bytes: number;
  #left: number;

  /** @param bytes for all that is told in the answer, EXEC's too */
  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#left = bytes;
  }

  /**
   * What `write` makes of these lines (latin1). They are asked for one after the other, and no further once they are more than
   * there is room for.
   */
  fill(lines: Iterable<string>, write: (text: Buffer) => Buffer): Buffer {
    if (this.#left === 0) return this.#refusal();
    const parts: Buffer[] = [];
    for (const line of lines) {
      if (line.length > this.#left) {
        this.#left = 0;
        return this.#refusal();
      }
      this.#left -= line.length;
      parts.push(Buffer.from(line, 'latin1'));
    }
    return write(Buffer.concat(parts));
  }

  #refusal(): Buffer {
    return writeError(
      `ERR the answer would be longer than limits.replyBytes of the gate, ${this.#bytes} bytes: ask for less (CLIENT LIST ID)`,
    );
  }
}
