/**
 * Finds the commands in a primary's stream. Every byte counts for the offset, also line feeds between commands.
 *
 * A chunk's memory is its reader's: what is left of it when no whole command is there any more is copied at once, into
 * memory of our own that doubles as it must and is let go of when a long command is through.
 */
import { Buffer } from 'node:buffer';
import { readArguments, splitInline } from '../resp/arguments.ts';
import {
  createRequestFrame,
  frameRequest,
  INCOMPLETE,
  MALFORMED,
  type RequestLimits,
  resetFrame,
  shiftFrame,
} from '../resp/request.ts';
import { CommandNames } from './command-names.ts';
import { StreamCantCarry } from './errors.ts';

const none = Buffer.alloc(0);
const asterisk = 0x2a;
/** Of an AOF. */
const remark = 0x23;
const keptBytes = 2 ** 20;
/** A replica takes longer strings from its primary than clients may send. */
const limits: RequestLimits = { bulkBytes: 2 ** 31, elements: 2 ** 31 - 1, lineBytes: 64 * 1024 };

export class CommandFramer {
  readonly #frame = createRequestFrame();
  #buf: Buffer = none;
  #start = 0;
  #end = 0;
  #isOwn = false;
  #own: Buffer = none;
  readonly #names = new CommandNames();
  /** Where the command that `next` found ends. */
  #next = 0;

  /** Behind what was given before, all of which `next` has gone through. */
  add(chunk: Buffer): void {
    const left = this.#end - this.#start;
    if (left === 0) {
      this.#buf = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#isOwn = false;
      return;
    }
    if (this.#end + chunk.length > this.#own.length) this.#makeRoom(left, chunk.length);
    chunk.copy(this.#own, this.#end);
    this.#end += chunk.length;
  }

  /**
   * Whether another command is whole: then it is the one at hand. Else what has begun is to be kept, with `keepRest`, before
   * the chunk's memory is used again.
   * @throws STREAM_CANT_CARRY for what is no command
   */
  next(): boolean {
    const end = frameRequest(this.#buf, this.#start, this.#end, this.#frame, limits);
    if (end === MALFORMED) {
      throw StreamCantCarry(`the source sent what is no command: ${this.#frame.error}`, {
        hint: 'Its log may say more. What was applied until there is whole.',
      });
    }
    if (end === INCOMPLETE) return false;
    this.#next = end;
    return true;
  }

  /** Bytes of the command at hand, as they came. */
  get bytes(): number {
    return this.#next - this.#start;
  }

  /** The name of the command at hand, in small letters; empty when the line is. */
  get name(): string {
    const { count, nameStart, nameEnd } = this.#frame;
    if (count <= 0) return count === 0 ? '' : (this.args()[0]?.toString('latin1').toLowerCase() ?? '');
    return this.#names.of(this.#buf, nameStart, nameEnd);
  }

  /** Whether it came as an array of bulk strings, so that it can be passed on as it is. */
  get isArray(): boolean {
    return this.#frame.count > 0;
  }

  /** The arguments of the command at hand, its name first. They share memory that is valid until `done`. */
  args(): Buffer[] {
    if (this.isArray) return readArguments(this.#buf, this.#start, this.#next);
    const line = this.#buf.subarray(this.#start, this.#next);
    return splitInline(line.subarray(0, line.length - (line.at(-2) === 13 ? 2 : 1))) ?? [];
  }

  /** Whether the argument behind the name of the command at hand begins with this; false when there is none. */
  argBeginsWith(prefix: Uint8Array): boolean {
    const { count, argStart, argEnd } = this.#frame;
    if (count < 2 || argEnd - argStart < prefix.length) return false;
    let at = 0;
    while (at < prefix.length && this.#buf[argStart + at] === prefix[at]) at++;
    return at === prefix.length;
  }

  /** How many arguments the command at hand has, its name counted; 0 for a line of words. */
  get argCount(): number {
    return Math.max(0, this.#frame.count);
  }

  /** Copies the last so many bytes that `done` went past, since `keepRest` at most. Returns where they end there. */
  copyPassed(bytes: number, target: Buffer, at: number): number {
    return at + this.#buf.copy(target, at, this.#start - bytes, this.#start);
  }

  /**
   * Behind `next` that answered false: bytes of the command that has begun to come, as far as they are known; 0 before its
   * name is.
   */
  get begunBytes(): number {
    const { left, count, pendingBulk } = this.#frame;
    return left > 0 && left < count ? this.#end - this.#start + pendingBulk : 0;
  }

  /** The arguments of that command that have come, its name first. They share memory that is valid until more is added. */
  begunArgs(): Buffer[] {
    return readArguments(this.#buf, this.#start, this.#frame.resumeAt);
  }

  /**
   * Gives away what has come of that command: nothing of it is found here any more.
   * @returns where in it the first string stands that is not whole, and how many these are.
   */
  takeBegun(): { bytes: Buffer; wholeBytes: number; left: number } {
    const frame = this.#frame;
    const bytes = Buffer.from(this.#buf.subarray(this.#start, this.#end));
    const taken = { bytes, wholeBytes: frame.resumeAt - this.#start, left: frame.left };
    resetFrame(frame);
    this.#start = this.#end;
    this.keepRest();
    return taken;
  }

  /** Behind `next` that answered false: what has come of a command, and whether it begins as one. */
  get rest(): { bytes: number; isCommand: boolean } {
    const begins = this.#buf[this.#start];
    return { bytes: this.#end - this.#start, isCommand: begins === asterisk || begins === remark };
  }

  /** Goes past the command at hand. */
  done(): void {
    this.#start = this.#next;
  }

  /** Behind `next` that answered false: what is left of the chunk goes into memory of our own. */
  keepRest(): void {
    if (this.#isOwn && this.#start < this.#end) return;
    const left = this.#end - this.#start;
    if (left === 0) {
      if (this.#own.length > keptBytes) this.#own = none;
      this.#buf = none;
      this.#start = 0;
      this.#end = 0;
      this.#isOwn = false;
      return;
    }
    this.#makeRoom(left, left);
  }

  #makeRoom(left: number, more: number): void {
    const wanted = left + more;
    const fits = wanted <= this.#own.length;
    const target = fits ? this.#own : Buffer.allocUnsafeSlow(Math.max(4096, wanted * 2));
    this.#buf.copy(target, 0, this.#start, this.#end);
    shiftFrame(this.#frame, this.#start);
    this.#own = target;
    this.#buf = target;
    this.#isOwn = true;
    this.#start = 0;
    this.#end = left;
  }
}
