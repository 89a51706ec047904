import { LF } from '../resp/bytes.ts';
import { StreamCantCarry } from './errors.ts';

/** More than a line with a length takes. */
const longestHead = 32;

/** Finds where a command ends that is not held: of what is still to come, only the lengths of its strings are looked at. Pure. */
export class CommandRest {
  /** Bytes until the end of the string under way, with the line's end behind it. */
  #missing = 0;
  /** Strings behind that one. */
  #strings: number;
  readonly #refuse: (length: number) => void;
  #head = '';

  /** @param strings that are still to come. @param refuse throws for a length that can't be. */
  constructor(strings: number, refuse: (length: number) => void) {
    this.#strings = strings;
    this.#refuse = refuse;
  }

  get isWhole(): boolean {
    return this.#missing === 0 && this.#strings === 0;
  }

  /** How many of these bytes are the command's. @throws STREAM_CANT_CARRY for what is no command */
  take(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.isWhole) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, bytes.length - at);
        this.#missing -= taken;
        at += taken;
        continue;
      }
      const byte = bytes[at++]!;
      if (byte !== LF) this.#head += String.fromCharCode(byte);
      if (byte === LF) this.#beginString();
      else if (this.#head.length > longestHead) throw malformed(this.#head);
    }
    return at;
  }

  #beginString(): void {
    const length = /^\$(\d{1,10})\r$/.exec(this.#head)?.[1];
    if (length === undefined) throw malformed(this.#head);
    this.#head = '';
    this.#refuse(Number(length));
    this.#strings--;
    this.#missing = Number(length) + 2;
  }
}

function malformed(head: string): Error {
  return StreamCantCarry(
    `the source sent what is no command: ${JSON.stringify(head)} where a length is expected`,
    {
      hint: 'Its log may say more. What was applied until there is whole.',
    },
  );
}
