/**
 * Makes batches out of a primary's stream: each one is applied whole, with the place behind it. Pure.
 *
 * - A transaction of the source is never divided. Its MULTI and EXEC are left out: a batch is a transaction itself.
 * - Commands stand in the batch with the SELECTs that they need, beginning from database 0.
 * - PING, REPLCONF and SELECT are the replication's own. Messages (PUBLISH) are no data, and those of Sentinels, about
 *   servers that are none of the target's, must not get there at all.
 */
import { ByteGatherer } from './byte-gatherer.ts';
import { CommandFramer } from './command-framer.ts';
import { CommandRest } from './command-rest.ts';
import { StreamCantCarry } from './errors.ts';
import type { Place } from './position.ts';
import type { Rewriter } from './rewrite.ts';
import { tooLong, usualLongestArgument } from './too-long.ts';

export interface Batch {
  /** Commands as they are sent, SELECTs among them; empty when only the place moved. Valid until the next `take`. */
  readonly bytes: Buffer;
  readonly commands: number;
  /** The target's database behind them. */
  readonly db: number;
  /** Where the source's stream stands behind them. */
  readonly place: Place;
}

/** A command that is passed on as it comes. */
export interface LongCommand {
  /** The target's; undefined when it is left out. */
  db: number | undefined;
  /** At least. */
  bytes: number;
}

export interface BatchLimits {
  bytes: number;
  commands: number;
  /** Bytes of an argument. */
  longest: number;
}

const defaultLimits: BatchLimits = { bytes: 2 ** 20, commands: 5000, longest: usualLongestArgument };

/** How much is in the batch up to somewhere, and where that is. */
class Mark {
  bytes = 0;
  commands = 0;
  /** The target's database there. */
  db = 0;
  offset: number;
  sourceDb: number;

  constructor({ offset, db }: Place) {
    this.offset = offset;
    this.sourceDb = db;
  }

  moveTo(other: Mark): void {
    this.bytes = other.bytes;
    this.commands = other.commands;
    this.db = other.db;
    this.offset = other.offset;
    this.sourceDb = other.sourceDb;
  }
}

export class Assembler {
  readonly #framer = new CommandFramer();
  readonly #rewriter: Rewriter;
  readonly #limits: BatchLimits;
  readonly #replId: string;
  #out: ByteGatherer;
  /** The batch that was taken last lies there. */
  #taken: ByteGatherer;
  /** The framer went past so many bytes that are to be passed on as they are: copied in one go. */
  #passed = 0;
  /** Behind the last command. */
  readonly #now: Mark;
  /** Behind the last command that no transaction goes on behind. */
  readonly #whole: Mark;
  /** Where the batch begins. */
  #start: number;
  #inTransaction = false;
  /** The source asks how far we are. */
  isAsked = false;

  constructor(place: Place, rewriter: Rewriter, limits: Partial<BatchLimits> = {}) {
    this.#rewriter = rewriter;
    this.#limits = { ...defaultLimits, ...limits };
    this.#replId = place.replId;
    this.#out = this.#newGatherer();
    this.#taken = this.#newGatherer();
    this.#now = new Mark(place);
    this.#whole = new Mark(place);
    this.#start = place.offset;
  }

  /** Adds what arrived; only when `isFull` answered false. */
  add(chunk: Buffer): void {
    this.#framer.add(chunk);
  }

  /** Behind the last whole transaction that has come. */
  get wholePlace(): Place {
    return { replId: this.#replId, offset: this.#whole.offset, db: this.#whole.sourceDb };
  }

  /**
   * Where the source is at its end: bytes of a command or a transaction that is not whole. @throws STREAM_CANT_CARRY for what is
   * none
   */
  get unfinishedBytes(): number {
    const { bytes, isCommand } = this.#framer.rest;
    if (bytes > 0 && !isCommand) throw noCommand(this.#now.offset);
    return bytes + this.#now.offset - this.#whole.offset;
  }

  /** Whether commands wait to be taken. */
  get hasCommands(): boolean {
    return this.#whole.commands > 0;
  }

  /**
   * Goes through what arrived, until the batch is full, which is true, or until there is no whole command any more.
   * @throws STREAM_CANT_CARRY
   */
  isFull(): boolean {
    try {
      if (this.#fill()) return true;
    } finally {
      this.#copyPassed();
    }
    this.#framer.keepRest();
    return false;
  }

  #fill(): boolean {
    const whole = this.#whole;
    for (;;) {
      if (whole.bytes >= this.#limits.bytes || whole.commands >= this.#limits.commands) return true;
      if (!this.#framer.next()) return false;
      this.#takeCommand();
      this.#framer.done();
    }
  }

  /** The batch so far, up to its last whole transaction; a new one begins. Undefined when nothing came since. */
  take(): Batch | undefined {
    const { bytes, commands, db } = this.#whole;
    const place = this.wholePlace;
    if (place.offset === this.#start) return undefined;
    const batch: Batch = { bytes: this.#out.slice(0, bytes), commands, db, place };
    const now = this.#now;
    const rest = this.#out.slice(bytes, this.#out.length);
    const next = this.#taken;
    next.clear();
    this.#taken = this.#out;
    this.#out = next;
    now.commands -= commands;
    if (rest.length === 0) now.db = 0;
    else if (db !== 0) {
      this.#out.addCommand(['SELECT', String(db)]);
      now.commands++;
    }
    this.#out.add(rest);
    now.bytes = this.#out.length;
    this.#whole.bytes = 0;
    this.#whole.commands = 0;
    this.#whole.db = 0;
    this.#start = place.offset;
    return batch;
  }

  /**
   * Behind `isFull` that answered false: what becomes of the command that has begun to come, when it has so many bytes at
   * least and can be passed on as it comes; else undefined, and it is held. One of a transaction is held with all of it.
   */
  longCommand(leastBytes: number): LongCommand | undefined {
    const framer = this.#framer;
    const bytes = framer.begunBytes;
    // Where keys change, all of them must be seen.
    if (bytes < leastBytes || this.#inTransaction || !this.#rewriter.keepsKeys) return undefined;
    const { sourceDb } = this.#now;
    const db = this.#rewriter.targetDb(sourceDb);
    if (db === undefined || passedOver.has(framer.name)) return { db: undefined, bytes };
    const rewritten = this.#rewriter.rewrite(framer.name, () => framer.begunArgs(), sourceDb);
    if (rewritten === 'nothing') return { db: undefined, bytes };
    return rewritten === 'as-it-is' ? { db, bytes } : undefined;
  }

  /**
   * Gives that command away: what has come of it, and how its end is found. Behind `take`, with nothing left in the batch.
   * @throws STREAM_CANT_CARRY, and so does the rest, for a string that the target does not take
   */
  takeLong(): { bytes: Buffer; rest: CommandRest } {
    const framer = this.#framer;
    const { name } = framer;
    const key = Buffer.from(framer.begunArgs()[1] ?? Buffer.alloc(0));
    const { sourceDb } = this.#now;
    const { bytes, wholeBytes, left } = framer.takeBegun();
    const rest = new CommandRest(left, (length) => {
      if (length > this.#limits.longest) throw this.#tooLong(name, key, sourceDb);
    });
    rest.take(bytes.subarray(wholeBytes));
    return { bytes, rest };
  }

  /** That command, of so many bytes, is applied. */
  longApplied(bytes: number): void {
    this.#now.offset += bytes;
    this.#whole.moveTo(this.#now);
    this.#start = this.#now.offset;
  }

  #copyPassed(): void {
    if (this.#passed > 0) this.#out.addPassed(this.#framer, this.#passed);
    this.#passed = 0;
  }

  #newGatherer(): ByteGatherer {
    return new ByteGatherer(Math.ceil(this.#limits.bytes * 1.25));
  }

  #takeCommand(): void {
    const framer = this.#framer;
    const now = this.#now;
    const { name } = framer;
    let isPassedOn = false;
    if (name === 'select') now.sourceDb = selectedDb(framer.args());
    else if (name === 'multi') this.#inTransaction = true;
    else if (name === 'exec') this.#inTransaction = false;
    else if (name === 'replconf') this.isAsked = true;
    else if (!passedOver.has(name) && !name.startsWith(remark)) {
      if (!framer.isArray) throw noCommand(now.offset);
      isPassedOn = this.#carry(name);
    }
    if (isPassedOn) this.#passed += framer.bytes;
    else this.#copyPassed();
    now.offset += framer.bytes;
    now.bytes = this.#out.length + this.#passed;
    if (!this.#inTransaction) this.#whole.moveTo(now);
  }

  /** @returns whether its bytes go on as they are, and are still to be copied. */
  #carry(name: string): boolean {
    const now = this.#now;
    const framer = this.#framer;
    const db = this.#rewriter.targetDb(now.sourceDb);
    if (db === undefined) return false;
    const rewritten = this.#rewriter.isUntouched?.(name, framer)
      ? 'as-it-is'
      : this.#rewriter.rewrite(name, () => framer.args(), now.sourceDb);
    if (rewritten === 'nothing' || rewritten.length === 0) return false;
    if (framer.bytes > this.#limits.longest) this.#refuseTooLong(name, framer.args());
    const isPassedOn = rewritten === 'as-it-is' && framer.isArray;
    if (!isPassedOn || db !== now.db) this.#copyPassed();
    if (db !== now.db) {
      this.#out.addCommand(['SELECT', String(db)]);
      now.commands++;
      now.db = db;
    }
    if (isPassedOn) {
      now.commands++;
      return true;
    }
    for (const args of rewritten === 'as-it-is' ? [framer.args()] : rewritten) {
      this.#out.addCommand(args);
      now.commands++;
    }
    return false;
  }

  /** @throws STREAM_CANT_CARRY */
  #refuseTooLong(name: string, args: readonly Buffer[]): void {
    const key = args[1] ?? Buffer.alloc(0);
    if (args.some((arg) => arg.length > this.#limits.longest))
      throw this.#tooLong(name, key, this.#now.sourceDb);
  }

  #tooLong(name: string, key: Buffer, sourceDb: number): Error {
    return tooLong(`what ${name.toUpperCase()} writes to`, key, sourceDb, this.#limits.longest);
  }
}

/** Begins a line of an AOF that is no command: `#TS:1700000000` (aof-timestamp-enabled). */
const remark = '#';
const passedOver = new Set(['', 'ping', 'publish', 'spublish']);

/** Servers send and write arrays of strings: words on a line are a client's, or what is damaged. */
function noCommand(offset: number): Error {
  return StreamCantCarry(`the source sent what is no command, behind offset ${offset}`, {
    hint: 'A file is no AOF then, or is damaged there: redis-check-aof shows where. What was applied until there is whole.',
  });
}

function selectedDb(args: Buffer[]): number {
  const db = Number(args[1]?.toString('latin1'));
  if (Number.isInteger(db) && db >= 0) return db;
  throw StreamCantCarry('the source selects a database that is none', { hint: 'Its log may say more.' });
}
