/**
 * Makes of a restore's source one file that the primary can take: every byte of it read and checked before anything is
 * changed anywhere.
 */
import { open } from 'node:fs/promises';
import { bodyMode } from '../rdb/body/mode.ts';
import { ByteSink } from '../rdb/byte-sink.ts';
import { auxFor, EntryCopier, type Unloadable } from '../rdb/copy.ts';
import { quoteKey } from '../rdb/errors.ts';
import { ExtrasCopier } from '../rdb/extras.ts';
import { typeInfo } from '../rdb/format.ts';
import { peekHead } from '../rdb/head.ts';
import { pump } from '../rdb/pump.ts';
import { type BodyWish, type ScanHandler, Scanner } from '../rdb/scanner.ts';
import type { Target } from '../rdb/target.ts';
import { RdbWriter } from '../rdb/writer.ts';
import { DoesNotFit } from './errors.ts';
import { loadsAsItIs } from './server-target.ts';

/** What is to take the data. */
export interface Taker {
  target: Target;
  product: 'redis' | 'valkey';
  /** `redis 7.0.15`, for people. */
  version: string;
  databases: number;
  modules: readonly string[];
}

/** Which keys, and where they go. */
export interface KeyChoice {
  test(scanner: Scanner): boolean;
  /** Databases that change their number. */
  moves: ReadonlyMap<number, number>;
  prefix: string;
}

export interface PreparedRdb {
  bytes: number;
  keys: number;
  /** Read from the source, chosen or not. */
  keysRead: number;
  functions: number;
  /** It was written anew in the form that the taker loads. */
  converted: boolean;
}

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
const check: BodyWish = { mode: bodyMode.check, raw: undefined };

/**
 * @param choice null: all keys, functions and module data; else those keys alone.
 * @throws RESTORE_DOES_NOT_FIT when the taker can't hold some of it; RDB_CORRUPT and others.
 */
export async function prepareRdb(
  source: AsyncIterable<Buffer>,
  file: string,
  taker: Taker,
  choice: KeyChoice | null,
  onBytes: (bytes: number) => void,
): Promise<PreparedRdb> {
  const { head, whole } = await peekHead(source);
  const handle = await open(file, 'w', 0o600);
  const census = new Census(taker, choice?.moves ?? new Map());
  try {
    const asItIs = choice === null && loadsAsItIs(taker.target, head, taker.product);
    const after = (bytes: number) => {
      onBytes(bytes);
      return undefined;
    };
    if (asItIs) {
      let bytes = 0;
      async function* kept(): AsyncGenerator<Buffer> {
        for await (const piece of whole) {
          for (let at = 0; at < piece.length; )
            at += (await handle.write(piece, at, piece.length - at)).bytesWritten;
          bytes += piece.length;
          yield piece;
        }
      }
      const trailing = await pump(kept(), new Scanner(census.watch({ key: () => check })), { after });
      if (trailing > 0) await handle.truncate(bytes - trailing);
    } else {
      const sink = new ByteSink(async (bytes) => {
        for (let at = 0; at < bytes.length; )
          at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
      });
      const writer = new RdbWriter(sink, taker.target.flavor, taker.target.version);
      writer.begin(auxFor(taker.target, head.aux, Date.now()));
      const handler = census.watch(copier(writer, taker, choice));
      await pump(whole, new Scanner(handler), { after: (bytes) => after(bytes) ?? sink.drain() });
      writer.finish();
      await sink.flush();
    }
    await handle.sync();
    const { size } = await handle.stat();
    return { ...census.counts, bytes: size, converted: !asItIs };
  } finally {
    await handle.close();
  }
}

/** Copies what is chosen, in the form of the target; what that can't hold ends it. */
function copier(writer: RdbWriter, { target, version }: Taker, choice: KeyChoice | null): ScanHandler {
  const onUnloadable = (unloadable: Unloadable) => {
    const { what, db, key, reason } = unloadable;
    const which = key === undefined ? what : `key ${quoteKey(key)} of database ${db}`;
    throw DoesNotFit(`${version} cannot hold all of it: ${which}: ${reason}`, {
      hint: 'Restore into a newer server, or leave that out: holdfast rdb filter writes a file without it.',
    });
  };
  const prefix = Buffer.from(choice?.prefix ?? '');
  const entries = new EntryCopier(writer, target, { prefix, check: true, onUnloadable });
  const extras = new ExtrasCopier(writer, target, onUnloadable);
  let aux: Buffer[] | undefined;
  let copies = false;
  return {
    functionLibrary: (code) => {
      if (choice === null) extras.functionLibrary(code);
    },
    moduleAux: () => {
      aux = [];
      return { mode: bodyMode.skip, raw: 'entry' };
    },
    key: (scanner) => {
      aux = undefined;
      copies = choice === null || choice.test(scanner);
      return copies ? entries.begin(scanner, choice?.moves.get(scanner.db) ?? scanner.db) : passOver;
    },
    raw: (buf, from, to) => {
      if (aux === undefined) entries.raw(buf, from, to);
      else aux.push(Buffer.from(buf.subarray(from, to)));
    },
    end: (scanner) => {
      if (aux !== undefined) {
        if (choice === null) extras.moduleAux(Buffer.concat(aux));
      } else if (copies) entries.end(scanner);
    },
    settle: () => entries.settle(),
  };
}

/** Counts what goes by, and stops what the taker can't take. */
class Census {
  readonly counts = { keys: 0, keysRead: 0, functions: 0 };
  readonly #taker: Taker;
  readonly #moves: ReadonlyMap<number, number>;

  constructor(taker: Taker, moves: ReadonlyMap<number, number>) {
    this.#taker = taker;
    this.#moves = moves;
  }

  watch(inner: ScanHandler): ScanHandler {
    const { counts } = this;
    return {
      ...inner,
      functionLibrary: (code) => {
        counts.functions++;
        inner.functionLibrary?.(code);
      },
      moduleAux: (scanner) => inner.moduleAux?.(scanner) ?? check,
      key: (scanner) => {
        counts.keysRead++;
        const wish = inner.key(scanner);
        if (wish === passOver) return wish;
        counts.keys++;
        this.#checkFit(scanner);
        return wish;
      },
    };
  }

  #checkFit(scanner: Scanner): void {
    const { databases, modules, version } = this.#taker;
    const db = this.#moves.get(scanner.db) ?? scanner.db;
    if (db >= databases) {
      throw DoesNotFit(`keys would go to database ${db}, and the primary has ${databases} databases`, {
        hint: `Set redis.config.databases to ${db + 1} or more, or restore that one elsewhere: --db ${scanner.db}=0.`,
      });
    }
    if (modules.length === 0 && typeInfo(scanner.type, scanner.flavor)?.kind === 'module') {
      throw DoesNotFit(
        `key ${quoteKey(scanner.copyKey())} holds a value of a module, and the primary (${version}) has no modules`,
        { hint: 'Load the module that wrote it (redis.config.loadmodule), then restore.' },
      );
    }
  }
}
