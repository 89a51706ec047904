/**
 * Makes of a restore's source one file that the primary can take: every byte of it read and checked before anything is
 * changed anywhere.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { bodyMode } from '../rdb/body/mode.ts';
import { ByteSink } from '../rdb/byte-sink.ts';
import { auxFor, EntryCopier, type Unloadable } from '../rdb/copy.ts';
import { ExtrasCopier } from '../rdb/extras.ts';
import { peekHead } from '../rdb/head.ts';
import { pump } from '../rdb/pump.ts';
import type { BodyWish, ScanHandler } from '../rdb/scan-handler.ts';
import { Scanner } from '../rdb/scanner.ts';
import { loadsAsItIs } from '../rdb/target.ts';
import { RdbWriter } from '../rdb/writer.ts';
import { refuseDeadlyValues } from './deadly-values.ts';
import { RestoreCensus } from './restore-census.ts';
import type { KeyChoice, Taker } from './restore-taker.ts';

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

export interface PrepareOptions {
  /** Leaves out what the taker can't load. Without, nothing is prepared when there is any. */
  dropUnsupported: boolean;
  /** Hears what is left out, or kept in part. */
  onUnloadable(unloadable: Unloadable): void;
  onBytes(bytes: number): void;
}

/**
 * @param choice null: all keys, functions and module data; else those keys alone.
 * @throws RESTORE_DOES_NOT_FIT when the taker can't hold some of it; RDB_CORRUPT and others.
 */
export async function prepareRdb(
  source: AsyncIterable<Buffer>,
  file: string,
  taker: Taker,
  choice: KeyChoice | null,
  options: PrepareOptions,
): Promise<PreparedRdb> {
  const { head, whole } = await peekHead(source);
  const handle = await open(file, 'w', 0o600);
  const census = new RestoreCensus(taker, choice, options.onUnloadable);
  try {
    const asItIs = choice === null && !options.dropUnsupported && loadsAsItIs(taker.target, head);
    const after = (bytes: number) => {
      options.onBytes(bytes);
      return undefined;
    };
    if (asItIs) {
      let bytes = 0;
      async function* kept(): AsyncGenerator<Buffer> {
        for await (const piece of whole) {
          await writeAll(handle, piece);
          bytes += piece.length;
          yield piece;
        }
      }
      const trailing = await pump(kept(), new Scanner(census.watch({ key: () => check })), { after });
      if (trailing > 0) await handle.truncate(bytes - trailing);
    } else {
      const sink = new ByteSink((bytes) => writeAll(handle, bytes));
      const writer = new RdbWriter(sink, taker.target.flavor, taker.target.version);
      writer.begin(auxFor(taker.target, head.aux, Date.now()));
      const handler = census.watch(copier(writer, taker, choice, census));
      await pump(whole, new Scanner(handler), { after: (bytes) => after(bytes) ?? sink.drain() });
      writer.finish();
      await sink.flush();
    }
    if (!options.dropUnsupported) census.refuseUnlessAllFits();
    await handle.sync();
    await refuseDeadlyValues(file, taker.version);
    const { size } = await handle.stat();
    return { ...census.counts, bytes: size, converted: !asItIs };
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
  }
}

/** Copies what is chosen, in the form of the target. */
function copier(
  writer: RdbWriter,
  { target }: Taker,
  choice: KeyChoice | null,
  census: RestoreCensus,
): ScanHandler {
  const prefix = Buffer.from(choice?.prefix ?? '');
  const { onUnloadable } = census;
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
        if (choice === null) extras.moduleAux(Buffer.concat(aux), scanner.moduleType);
      } else if (copies) entries.end(scanner);
      copies = false;
    },
    settle: () => entries.settle(),
  };
}
