import { MINUS } from '../../resp/bytes.ts';
import type { ReplyHandler } from '../upstream/run.ts';

/** Asks the catch-all whether this client is let in: a server says NOAUTH before anything else. */
export class Entry implements ReplyHandler {
  readonly #onAnswer: (refusal: Buffer | null) => void;

  constructor(onAnswer: (refusal: Buffer | null) => void) {
    this.#onAnswer = onAnswer;
  }

  onReply(buf: Buffer, start: number, end: number): boolean {
    const isRefused = buf[start] === MINUS && /^-NOAUTH /.test(buf.toString('latin1', start, start + 8));
    this.#onAnswer(isRefused ? Buffer.from(buf.subarray(start, end)) : null);
    return true;
  }

  /** Nothing is lost with it: it is asked again. */
  onLost(): void {}

  proves(): boolean {
    return true;
  }
}
