/**
 * Everything that a source holds, into the target, in transactions of many keys, which are fenced as those of the stream are
 * (target-writer.ts).
 *
 * A copy that broke is not gone on with: the source can't give the same snapshot again. Before it is begun anew, what was
 * copied is removed, so that no key stays that the source has deleted meanwhile. What was copied is known either because
 * the target holds nothing else, or from the list that was written before each batch went out. So a value that is too long to
 * be held may go in pieces (long-value.ts).
 */
import { quoteKey } from '../rdb/errors.ts';
import type { Kind } from '../rdb/format.ts';
import type { OnConflict } from '../rdb/merge-input.ts';
import { Scanner } from '../rdb/scanner.ts';
import type { Target } from '../rdb/target.ts';
import { keyspaces, parseInfo } from '../redis/info.ts';
import type { Request } from '../redis/link.ts';
import type { Reply } from '../resp/read.ts';
import { writeRequest } from '../resp/write.ts';
import { Contest } from './contest.ts';
import { CopyBatch, type DbKey } from './copy-batch.ts';
import { CopyLoader } from './copy-loader.ts';
import { StreamCantCarry, StreamConflict } from './errors.ts';
import { OneAhead } from './one-ahead.ts';
import { isPositionKey } from './position.ts';
import type { Rewriter } from './rewrite.ts';
import type { TargetWriter } from './target-writer.ts';

/** A list of keys, on disk. */
export interface CopiedKeys {
  /** Durable when it returns. */
  add(keys: readonly DbKey[]): Promise<void>;
  /** Those are not ours after all. Durable when it returns. */
  takeBack(keys: readonly DbKey[]): Promise<void>;
  /** In pieces, one database each. */
  read(): AsyncIterable<{ db: number; keys: Buffer[] }>;
  forget(): Promise<void>;
}

export interface FullCopyOptions {
  rewriter: Rewriter;
  target: Target;
  /** Of keys that are there. */
  onConflict: OnConflict;
  /** Undefined when the target holds nothing else. */
  copied: CopiedKeys | undefined;
  /** Bytes of the longest argument that the target takes. */
  longest: number;
  /** Bytes of a value that may be held. */
  heldBytes?: number | undefined;
  /** All, if omitted. */
  types?: ReadonlySet<Kind> | undefined;
  onProgress(keys: number, bytes: number): Promise<void> | undefined;
  /** So many keys stay as the target has them. */
  onLeftOut(count: number): void;
}

const limits = { bytes: 2 ** 20, keys: 16_000 };

export class FullCopy {
  readonly #writer: TargetWriter;
  readonly #options: FullCopyOptions;
  readonly #ahead = new OneAhead();
  readonly #loader: CopyLoader;
  /** The one that went through before the one under way: it is used again. */
  #spare: CopyBatch | undefined;
  #bytes = 0;
  readonly #replaces: boolean;
  readonly #contest: Contest | undefined;

  constructor(writer: TargetWriter, options: FullCopyOptions) {
    const { onConflict, rewriter } = options;
    this.#writer = writer;
    this.#options = options;
    this.#replaces = onConflict === 'last' || onConflict === 'newest-expiry';
    this.#contest =
      onConflict === 'first' || onConflict === 'newest-expiry' ? new Contest(writer, onConflict) : undefined;
    this.#loader = new CopyLoader(this.#newBatch(), rewriter, { ...options, replaces: this.#replaces });
  }

  /**
   * @param onEnd is told what came behind the end of the RDB in its last piece.
   * @throws STREAM_CONFLICT, STREAM_CANT_CARRY, RDB_CORRUPT and its like, and what the writer and the source throw
   */
  async run(data: AsyncIterable<Buffer>, onEnd: (rest: Buffer) => void): Promise<void> {
    const scanner = new Scanner(this.#loader);
    for await (const piece of data) {
      this.#bytes += piece.length;
      const taken = scanner.push(piece);
      if (scanner.isDone) onEnd(piece.subarray(taken));
      if (this.#loader.batch.isFull) await this.#send();
    }
    scanner.finish();
    await this.#send();
    await this.#ahead.end();
  }

  #newBatch(): CopyBatch {
    return new CopyBatch(this.#replaces, limits);
  }

  async #send(): Promise<void> {
    const { batch } = this.#loader;
    const { keys } = batch;
    await this.#ahead.begin(async () => {
      if (!batch.isEmpty) await this.#apply(batch);
      // All of it was answered, so nobody reads those bytes any more.
      batch.clear();
      this.#spare = batch;
    });
    this.#loader.batch = this.#spare ?? this.#newBatch();
    this.#spare = undefined;
    await this.#options.onProgress(keys, this.#bytes);
  }

  async #apply(whole: CopyBatch): Promise<void> {
    const { copied } = this.#options;
    let batch = whole;
    let written = whole.written();
    const left = await this.#contest?.without(whole);
    if (left !== undefined) {
      this.#options.onLeftOut(left.leftOut);
      batch = left.batch;
      written = batch.written();
      if (batch.isEmpty) return;
    }
    if (copied !== undefined) await this.#claim(copied, batch.dbKeys());
    if (!this.#replaces) await this.#watchNew(batch.begun);
    const results = await this.#writer.apply(written, undefined);
    await this.#check(results, batch);
  }

  /** Notes them as ours, which nobody may do with keys that others have put there. */
  async #claim(copied: CopiedKeys, keys: readonly DbKey[]): Promise<void> {
    if (!this.#replaces) {
      const taken = await this.#thatIsThere(keys);
      if (taken !== undefined) throw conflict(taken);
    }
    await copied.add(keys);
  }

  /** If somebody puts one of them there before the batch does, the batch is not executed. */
  async #watchNew(keys: readonly DbKey[]): Promise<void> {
    const { link } = this.#writer;
    for (const { db, key } of keys)
      await link.callAll([
        ['SELECT', db],
        ['WATCH', key],
      ]);
    const taken = keys.length === 0 ? undefined : await this.#thatIsThere(keys);
    if (taken === undefined) return;
    await this.#options.copied?.takeBack([taken]);
    throw conflict(taken);
  }

  /** The first of them that the target has. */
  async #thatIsThere(keys: readonly DbKey[]): Promise<DbKey | undefined> {
    const { link } = this.#writer;
    for (const db of new Set(keys.map((each) => each.db))) {
      const its = keys.filter((each) => each.db === db);
      const there = await link.callAll([['SELECT', db], ...its.map(({ key }): Request => ['EXISTS', key])]);
      const taken = its.find((_, index) => there[index + 1] === 1);
      if (taken !== undefined) return taken;
    }
    await link.call(['SELECT', 0]);
    return undefined;
  }

  async #check(results: Reply[], batch: CopyBatch): Promise<void> {
    const failed = batch.failures(results);
    if (failed.length === 0) return;
    const taken = failed.flatMap(({ key, refusal }) => (refusal === undefined && key !== null ? [key] : []));
    if (taken.length > 0) {
      await this.#options.copied?.takeBack(taken);
      throw conflict((await this.#thatIsThere(taken)) ?? taken[0]!);
    }
    const { key, refusal } = failed[0]!;
    const name = key ? nameOf(key) : 'a function library';
    throw StreamCantCarry(`the target does not take ${name}: ${refusal}`, {
      hint: 'A target of at least the source’s version, with its modules, takes it.',
    });
  }
}

function nameOf({ db, key }: DbKey): string {
  return `key ${quoteKey(key)} of database ${db}`;
}

function conflict(key: DbKey): Error {
  return StreamConflict(`${nameOf(key)} is at the target already`, {
    hint: 'Take an empty target, or move the database with --db; --on-conflict says which of the two counts.',
  });
}

const removedAtATime = 1000;

/**
 * Removes what an earlier copy has written.
 * @param copied undefined: everything that is ours but the positions of streams.
 */
export async function removeCopied(
  writer: TargetWriter,
  copied: CopiedKeys | undefined,
  isOurs: (key: Buffer) => boolean,
): Promise<void> {
  const { link } = writer;
  try {
    if (copied === undefined)
      for (const db of await databasesWithKeys(writer)) await removeAll(writer, db, isOurs);
    else {
      for await (const { db, keys } of copied.read()) {
        await link.call(['SELECT', db]);
        if (keys.length > 0) await link.call(['UNLINK', ...keys]);
      }
      await copied.forget();
    }
  } finally {
    if (!link.closed) await link.call(['SELECT', 0]);
  }
}

async function databasesWithKeys({ link }: TargetWriter): Promise<number[]> {
  return keyspaces(parseInfo(String(await link.call(['INFO', 'keyspace'])))).map(({ db }) => db);
}

/** In transactions that are fenced: a target that was given to somebody else meanwhile loses nothing. */
async function removeAll(writer: TargetWriter, db: number, isOurs: (key: Buffer) => boolean): Promise<void> {
  const { link } = writer;
  let cursor = '0';
  do {
    await link.call(['SELECT', db]);
    const [next, found] = (await link.call(['SCAN', cursor, 'COUNT', removedAtATime], { raw: true })) as [
      Buffer,
      Buffer[],
    ];
    cursor = next.toString();
    const keys = found.filter((key) => isOurs(key) && !isPositionKey(key));
    await link.call(['SELECT', 0]);
    if (keys.length === 0) continue;
    const pieces = [writeRequest(['SELECT', String(db)]), writeRequest(['UNLINK', ...keys])];
    await writer.apply({ pieces, commands: 2, db }, undefined);
  } while (cursor !== '0');
}
