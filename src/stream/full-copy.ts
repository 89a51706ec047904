/**
 * Everything that a source holds, into the target: each key with RESTORE, in transactions of many, which are fenced as
 * those of the stream are (target-writer.ts).
 *
 * A copy that broke is not gone on with: the source can't give the same snapshot again. Before it is begun anew, what was
 * copied is removed, so that no key stays that the source has deleted meanwhile. What was copied is known either because
 * the target holds nothing else, or from the list that was written before each batch went out.
 */
import { type RdbEntry, readBatches } from '../rdb/entries.ts';
import { quoteKey } from '../rdb/errors.ts';
import type { Target } from '../rdb/target.ts';
import { keyspaces, parseInfo } from '../redis/info.ts';
import type { Request } from '../redis/link.ts';
import { type Reply, ReplyError } from '../resp/read.ts';
import { ByteGatherer, type Part } from './byte-gatherer.ts';
import { StreamCantCarry, StreamConflict } from './errors.ts';
import { OneAhead } from './one-ahead.ts';
import { isPositionKey } from './position.ts';
import { restoreCommand } from './restore-command.ts';
import type { Rewriter } from './rewrite.ts';
import type { TargetWriter } from './target-writer.ts';

export interface DbKey {
  /** As the target has it. */
  db: number;
  key: Buffer;
}

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
  /** Overwrite keys that are there. Else the first of them ends it. */
  replaces: boolean;
  /** Undefined when the target holds nothing else. */
  copied: CopiedKeys | undefined;
  onProgress(keys: number, bytes: number): Promise<void> | undefined;
}

const batchBytes = 2 ** 20;
const batchKeys = 4000;

interface Loading {
  out: ByteGatherer;
  db: number;
  commands: number;
  /** For each command its key; null for a SELECT. */
  keys: (DbKey | null)[];
}

export class FullCopy {
  readonly #writer: TargetWriter;
  readonly #options: FullCopyOptions;
  readonly #ahead = new OneAhead();
  #batch: Loading = emptyBatch(undefined);
  /** Of the batch that went through last: it is used again. */
  #spare: ByteGatherer | undefined;
  #bytes = 0;

  constructor(writer: TargetWriter, options: FullCopyOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /** @throws STREAM_CONFLICT, STREAM_CANT_CARRY, and what the writer and the source throw */
  async run(data: AsyncIterable<Buffer>): Promise<void> {
    for await (const items of readBatches(this.#counted(data))) {
      for (const item of items) {
        if (item.is === 'entry') this.#add(item);
        else if (item.is === 'function') this.#addFunction(item.code);
        if (this.#batch.commands >= batchKeys || this.#batch.out.length >= batchBytes) await this.#send();
      }
    }
    await this.#send();
    await this.#ahead.end();
  }

  async *#counted(data: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of data) {
      this.#bytes += piece.length;
      yield piece;
    }
  }

  #add(entry: RdbEntry): void {
    const { rewriter } = this.#options;
    const db = rewriter.targetDb(entry.db);
    const key = db === undefined ? undefined : rewriter.targetKey(entry.key);
    if (db === undefined || key === undefined) return;
    this.#command(db, restoreCommand(entry, key, this.#options), { db, key });
  }

  #addFunction(code: Buffer): void {
    const args = ['FUNCTION', 'LOAD', 'REPLACE', code];
    const buffers = () => args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg));
    if (this.#options.rewriter.rewrite('function', buffers, 0) !== 'nothing') this.#command(0, args, null);
  }

  #command(db: number, args: readonly Part[], key: DbKey | null): void {
    const batch = this.#batch;
    if (batch.db !== db) {
      batch.out.addCommand(['SELECT', String(db)]);
      batch.commands++;
      batch.keys.push(null);
      batch.db = db;
    }
    batch.out.addCommand(args);
    batch.commands++;
    batch.keys.push(key);
  }

  async #send(): Promise<void> {
    const batch = this.#batch;
    const { copied, onProgress } = this.#options;
    const keys = batch.keys.filter((key) => key !== null);
    await this.#ahead.begin(async () => {
      if (batch.commands === 0) return;
      if (copied !== undefined) await this.#claim(copied, keys);
      const bytes = batch.out.slice(0, batch.out.length);
      const results = await this.#writer.apply({ bytes, commands: batch.commands, db: batch.db }, undefined);
      await this.#check(results, batch);
      // All of it was answered, so nobody reads those bytes any more.
      batch.out.clear();
      this.#spare = batch.out;
    });
    this.#batch = emptyBatch(this.#spare);
    this.#spare = undefined;
    await onProgress?.(keys.length, this.#bytes);
  }

  /** Notes them as ours, which nobody may do with keys that others have put there. */
  async #claim(copied: CopiedKeys, keys: readonly DbKey[]): Promise<void> {
    if (!this.#options.replaces) {
      const { link } = this.#writer;
      for (const db of new Set(keys.map((each) => each.db))) {
        const its = keys.filter((each) => each.db === db);
        const there = await link.callAll([['SELECT', db], ...its.map(({ key }): Request => ['EXISTS', key])]);
        const taken = its.find((_, index) => there[index + 1] === 1);
        if (taken !== undefined) throw conflict(taken);
      }
      await link.call(['SELECT', 0]);
    }
    await copied.add(keys);
  }

  async #check(results: Reply[], { keys }: Loading): Promise<void> {
    const failed = results.flatMap((result, index) =>
      result instanceof ReplyError ? [{ result, key: keys[index] ?? null }] : [],
    );
    const taken = failed.flatMap(({ result, key }) => (result.kind === 'BUSYKEY' && key ? [key] : []));
    if (taken.length > 0) {
      await this.#options.copied?.takeBack(taken);
      throw conflict(taken[0]!);
    }
    for (const { result, key } of failed) {
      const name = key ? nameOf(key) : 'a function library';
      throw StreamCantCarry(`the target does not take ${name}: ${result.text}`, {
        hint: 'A target of at least the source’s version, with its modules, takes it.',
      });
    }
  }
}

function nameOf({ db, key }: DbKey): string {
  return `key ${quoteKey(key)} of database ${db}`;
}

function conflict(key: DbKey): Error {
  return StreamConflict(`${nameOf(key)} is at the target already`, {
    hint: 'Take an empty target, or move the database with --db; --on-conflict last overwrites what is there.',
  });
}

function emptyBatch(spare: ByteGatherer | undefined): Loading {
  return { out: spare ?? new ByteGatherer(batchBytes), db: 0, commands: 0, keys: [] };
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

async function removeAll(
  { link }: TargetWriter,
  db: number,
  isOurs: (key: Buffer) => boolean,
): Promise<void> {
  await link.call(['SELECT', db]);
  let cursor = '0';
  do {
    const [next, found] = (await link.call(['SCAN', cursor, 'COUNT', removedAtATime], { raw: true })) as [
      Buffer,
      Buffer[],
    ];
    cursor = next.toString();
    const keys = found.filter((key) => isOurs(key) && !isPositionKey(key));
    if (keys.length > 0) await link.call(['UNLINK', ...keys]);
  } while (cursor !== '0');
}
