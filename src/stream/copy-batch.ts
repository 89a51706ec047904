/**
 * Keys of a copy, as a piece of a transaction. Strings that don't expire go together in one MSET: it costs the target a third of
 * what a RESTORE for each costs, and us half. What else there is, is a command of its own.
 */
import { readArguments } from '../resp/arguments.ts';
import { type Reply, ReplyError } from '../resp/read.ts';
import { ByteGatherer, type Part } from './byte-gatherer.ts';
import type { Written } from './target-writer.ts';

export interface DbKey {
  /** As the target has it. */
  db: number;
  key: Buffer;
}

/** A key, and when it expires: ms since 1970, -1 for never. */
export interface ExpiringKey extends DbKey {
  expireMs: number;
}

/** What the target did not do, of one command. */
export interface Failure {
  /** Null for what is no key. */
  key: DbKey | null;
  /** Why; undefined when another has put the key there. */
  refusal: string | undefined;
}

export interface BatchLimits {
  bytes: number;
  keys: number;
}

/** Commands of one key, or of none, and where they end in the memory of all others. */
interface Other {
  key: ExpiringKey | null;
  begins: boolean;
  isInPieces: boolean;
  commands: number;
  end: number;
}

/** One MSET of the batch. */
interface Pairs {
  db: number;
  /** Which command of the batch it is. */
  at: number;
  bytes: Buffer;
}

const ok = 1;
/** Commands of their own in one batch. */
const mostOthers = 2000;
export const unclaimed = 'it has a pending entry whose message was deleted, for which there is no command';

export class CopyBatch {
  readonly #replaces: boolean;
  readonly #limits: BatchLimits;
  readonly #pairs: ByteGatherer;
  readonly #others: ByteGatherer;
  #pieces: Uint8Array[] = [];
  #commands = 0;
  /** For each command its key; null for what has none, or several. */
  #keys: (DbKey | null)[] = [];
  /** Those of them of which nothing went before. */
  #first: ExpiringKey[] = [];
  /** Those of these that go in pieces. */
  #begun: DbKey[] = [];
  #all: Other[] = [];
  #mset: Pairs[] = [];
  /** The database that is selected behind `pieces`. */
  #selected = 0;
  #db = 0;
  #pairsFrom = 0;
  #pairsOpen = 0;
  #othersFrom = 0;
  #othersOpen: (DbKey | null)[] = [];
  #count = 0;

  /** @param replaces overwrite keys that are there; else a command whose keys are there does nothing. */
  constructor(replaces: boolean, limits: BatchLimits) {
    this.#replaces = replaces;
    this.#limits = limits;
    this.#pairs = new ByteGatherer(limits.bytes);
    this.#others = new ByteGatherer(limits.bytes);
  }

  /** How many keys it has. */
  get keys(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#commands === 0 && this.#pairsOpen === 0 && this.#othersOpen.length === 0;
  }

  get isFull(): boolean {
    // Of each of the others there are objects, which shall not outlive what is made for the next ones.
    if (this.#all.length >= mostOthers) return true;
    return this.#count >= this.#limits.keys || this.#pairs.length + this.#others.length >= this.#limits.bytes;
  }

  /** A string that does not expire: key[keyFrom, keyTo) with value[from, to). */
  addPair(
    db: number,
    ...[key, keyFrom, keyTo, value, from, to]: [Buffer, number, number, Buffer, number, number]
  ): void {
    if (db !== this.#db) this.#close(db);
    this.#pairs.addBulkOf(key, keyFrom, keyTo);
    this.#pairs.addBulkOf(value, from, to);
    this.#pairsOpen++;
    this.#count++;
  }

  /** @param expireMs -1 for never */
  addCommand(db: number, args: readonly Part[], key: Buffer | null, expireMs = -1): void {
    if (db !== this.#db) this.#close(db);
    this.#others.addCommand(args);
    const of = key === null ? null : { db, key, expireMs };
    this.#note(of, true, false, 1);
  }

  /** Commands as they are sent, all for one key, which has more in other batches. @param begins none went before. */
  addWritten(key: ExpiringKey, pieces: readonly Buffer[], commands: number, begins: boolean): void {
    if (key.db !== this.#db) this.#close(key.db);
    for (const piece of pieces) this.#others.add(piece);
    this.#note(key, begins, true, commands);
  }

  /** A copy may make millions of these: nothing is made anew but what is kept. */
  #note(key: ExpiringKey | null, begins: boolean, isInPieces: boolean, commands: number): void {
    this.#all.push({ key, begins, isInPieces, commands, end: this.#others.length });
    for (let n = 0; n < commands; n++) this.#othersOpen.push(key);
    if (key === null || !begins) return;
    this.#first.push(key);
    if (isInPieces) this.#begun.push(key);
    this.#count++;
  }

  /** Behind `written`: the same without these keys. It shares memory with this one. */
  without(isLeftOut: (key: DbKey) => boolean): CopyBatch {
    const made = new CopyBatch(this.#replaces, this.#limits);
    for (const { db, bytes } of this.#mset) {
      const args = argumentsIn(bytes);
      for (let at = 0; at < args.length; at += 2) {
        const [key, value] = [args[at]!, args[at + 1]!];
        if (!isLeftOut({ db, key })) made.addPair(db, key, 0, key.length, value, 0, value.length);
      }
    }
    let from = 0;
    for (const { key, begins, isInPieces, commands, end } of this.#all) {
      const bytes = this.#others.slice(from, end);
      from = end;
      if (key !== null && isLeftOut(key)) continue;
      const db = key?.db ?? 0;
      if (db !== made.#db) made.#close(db);
      made.#others.add(bytes);
      made.#note(key, begins, isInPieces, commands);
    }
    return made;
  }

  /** Keys that begin to go in pieces: whether they are there, no command of theirs says. */
  get begun(): readonly DbKey[] {
    return this.#begun;
  }

  /** As it is sent, in a transaction. Nothing may be added behind that. */
  written(): Written {
    this.#close(this.#db);
    return { pieces: this.#pieces, commands: this.#commands, db: this.#selected };
  }

  /** The keys that `written` has, but for those of which a part went before. */
  dbKeys(): ExpiringKey[] {
    const pairs = this.#mset.flatMap(keysOf).map((key) => ({ ...key, expireMs: -1 }));
    return [...pairs, ...this.#first];
  }

  /** What was not done. @param results to the commands of `written` */
  failures(results: readonly Reply[]): Failure[] {
    const found: Failure[] = [];
    for (const pairs of this.#mset) {
      const result = results[pairs.at];
      const error = result instanceof ReplyError ? result : undefined;
      if (error === undefined && (this.#replaces || result === ok)) continue;
      // Nothing of it was done, so that each of them may be the one that is there.
      for (const key of keysOf(pairs)) found.push({ key, refusal: error?.text });
    }
    for (const [index, result] of results.entries()) {
      const key = this.#keys[index] ?? null;
      // Of all that is sent only XCLAIM answers so: it has claimed nothing.
      if (Array.isArray(result) && result.length === 0) found.push({ key, refusal: unclaimed });
      if (!(result instanceof ReplyError) || this.#mset.some(({ at }) => at === index)) continue;
      found.push({ key, refusal: result.kind === 'BUSYKEY' ? undefined : result.text });
    }
    return found;
  }

  /** Empties it, for other keys: nobody may hold what `written` gave. */
  clear(): void {
    this.#pairs.clear();
    this.#others.clear();
    this.#pieces = [];
    this.#commands = 0;
    this.#keys = [];
    this.#first = [];
    this.#begun = [];
    this.#all = [];
    this.#mset = [];
    this.#selected = 0;
    this.#db = 0;
    this.#pairsFrom = 0;
    this.#othersFrom = 0;
    this.#count = 0;
  }

  /** What was added until now is one database's. */
  #close(nextDb: number): void {
    const [db, count] = [this.#db, this.#pairsOpen];
    this.#db = nextDb;
    if (count === 0 && this.#othersOpen.length === 0) return;
    if (db !== this.#selected)
      this.#put([Buffer.from(`*2\r\n$6\r\nSELECT\r\n$${String(db).length}\r\n${db}\r\n`)]);
    this.#selected = db;
    if (count > 0) {
      const name = this.#replaces ? 'MSET' : 'MSETNX';
      const bytes = this.#pairs.slice(this.#pairsFrom, this.#pairs.length);
      this.#mset.push({ db, at: this.#commands, bytes });
      this.#put([Buffer.from(`*${count * 2 + 1}\r\n$${name.length}\r\n${name}\r\n`), bytes]);
    }
    if (this.#othersOpen.length > 0) {
      this.#pieces.push(this.#others.slice(this.#othersFrom, this.#others.length));
      this.#commands += this.#othersOpen.length;
      for (const key of this.#othersOpen) this.#keys.push(key);
    }
    this.#pairsFrom = this.#pairs.length;
    this.#othersFrom = this.#others.length;
    this.#pairsOpen = 0;
    this.#othersOpen = [];
  }

  #put(pieces: readonly Uint8Array[]): void {
    this.#pieces.push(...pieces);
    this.#commands++;
    this.#keys.push(null);
  }
}

function keysOf({ db, bytes }: Pairs): DbKey[] {
  return argumentsIn(bytes)
    .filter((_, index) => index % 2 === 0)
    .map((key) => ({ db, key }));
}

function argumentsIn(bytes: Buffer): Buffer[] {
  const head = Buffer.from('*0\r\n');
  return readArguments(Buffer.concat([head, bytes]), 0, head.length + bytes.length);
}
