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

/** What the target did not do, of one command. */
export interface Failure {
  /** Null for what is no key. */
  key: DbKey | null;
  /** Undefined when another has put the key there. */
  error: ReplyError | undefined;
}

export interface BatchLimits {
  bytes: number;
  keys: number;
}

/** One MSET of the batch. */
interface Pairs {
  db: number;
  /** Which command of the batch it is. */
  at: number;
  bytes: Buffer;
}

const ok = 1;

export class CopyBatch {
  readonly #replaces: boolean;
  readonly #limits: BatchLimits;
  readonly #pairs: ByteGatherer;
  readonly #others: ByteGatherer;
  #pieces: Uint8Array[] = [];
  #commands = 0;
  /** For each command its key; null for what has none, or several. */
  #keys: (DbKey | null)[] = [];
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

  addCommand(db: number, args: readonly Part[], key: Buffer | null): void {
    if (db !== this.#db) this.#close(db);
    this.#others.addCommand(args);
    this.#othersOpen.push(key === null ? null : { db, key });
    if (key !== null) this.#count++;
  }

  /** As it is sent, in a transaction. Nothing may be added behind that. */
  written(): Written {
    this.#close(this.#db);
    return { pieces: this.#pieces, commands: this.#commands, db: this.#selected };
  }

  /** The keys that `written` has. */
  dbKeys(): DbKey[] {
    return [...this.#mset.flatMap(keysOf), ...this.#keys.filter((key) => key !== null)];
  }

  /** What was not done. @param results to the commands of `written` */
  failures(results: readonly Reply[]): Failure[] {
    const found: Failure[] = [];
    for (const pairs of this.#mset) {
      const result = results[pairs.at];
      const error = result instanceof ReplyError ? result : undefined;
      if (error === undefined && (this.#replaces || result === ok)) continue;
      // Nothing of it was done, so that each of them may be the one that is there.
      for (const key of keysOf(pairs)) found.push({ key, error });
    }
    for (const [index, result] of results.entries()) {
      if (!(result instanceof ReplyError) || this.#mset.some(({ at }) => at === index)) continue;
      const isThere = result.kind === 'BUSYKEY';
      found.push({ key: this.#keys[index] ?? null, error: isThere ? undefined : result });
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
  const head = Buffer.from('*0\r\n');
  const args = readArguments(Buffer.concat([head, bytes]), 0, head.length + bytes.length);
  return args.filter((_, index) => index % 2 === 0).map((key) => ({ db, key }));
}
