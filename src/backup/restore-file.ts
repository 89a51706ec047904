/**
 * Makes of a restore's source one file that the primary can take: every byte of it read and checked before anything is
 * changed anywhere. It is always written anew: what a file says of itself at its head and between its keys (its version, how
 * many keys are to come) may be untrue, and a server believes it.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { bodyMode } from '../rdb/body/mode.ts';
import { ByteSink } from '../rdb/byte-sink.ts';
import { auxFor, EntryCopier, type Unloadable } from '../rdb/copy.ts';
import { ExtrasCopier } from '../rdb/extras.ts';
import { type RdbHead, withHead } from '../rdb/head.ts';
import { pump } from '../rdb/pump.ts';
import type { BodyWish, ScanHandler } from '../rdb/scan-handler.ts';
import { Scanner } from '../rdb/scanner.ts';
import { loadsAsItIs } from '../rdb/target.ts';
import { RdbWriter } from '../rdb/writer.ts';
import { type AskLibrary, type DeadlyParts, findDeadlyParts } from './deadly-values.ts';
import { RestoreCensus } from './restore-census.ts';
import type { KeyChoice, Taker } from './restore-taker.ts';

export interface PreparedRdb {
  bytes: number;
  keys: number;
  /** Read from the source, chosen or not. */
  keysRead: number;
  functions: number;
  /** It came from a newer server: values are in another form than they were. */
  converted: boolean;
}

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
const check: BodyWish = { mode: bodyMode.check, raw: undefined };

export interface PrepareOptions {
  /** Leaves out what the taker can't load. Without, nothing is prepared when there is any. */
  dropUnsupported: boolean;
  /** Hears what is left out, or kept in part. */
  onUnloadable(unloadable: Unloadable): void;
  askLibrary: AskLibrary;
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
  return withHead(source, (head, whole) => prepareWhole(head, whole, file, taker, choice, options));
}

async function prepareWhole(
  head: RdbHead,
  whole: AsyncIterable<Buffer>,
  file: string,
  taker: Taker,
  choice: KeyChoice | null,
  options: PrepareOptions,
): Promise<PreparedRdb> {
  const census = new RestoreCensus(taker, choice, options.onUnloadable);
  const after = (bytes: number) => {
    options.onBytes(bytes);
    return undefined;
  };
  await inFile(file, async (handle) => {
    const make = (writer: RdbWriter) => census.watch(copier(writer, taker, choice, census.onUnloadable));
    await writeAnew(whole, handle, taker, head, make, after);
  });
  const deadly = await findDeadlyParts(piecesOf(file), options.askLibrary, census.onUnloadable);
  if (!options.dropUnsupported) census.refuseUnlessAllFits();
  else if (deadly.keys.size + deadly.libraries.size > 0) await leaveOut(deadly, file, taker, head);
  return { ...census.counts, bytes: (await stat(file)).size, converted: !loadsAsItIs(taker.target, head) };
}

/** @param work writes it; it is on the disk when this returns. */
async function inFile(file: string, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await work(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @param make the handler that fills the writer. */
async function writeAnew(
  source: AsyncIterable<Buffer>,
  handle: FileHandle,
  { target }: Taker,
  head: RdbHead,
  make: (writer: RdbWriter) => ScanHandler,
  after: (bytes: number) => undefined,
): Promise<void> {
  const sink = new ByteSink((bytes) => writeAll(handle, bytes));
  const writer = new RdbWriter(sink, target.flavor, target.version);
  writer.begin(auxFor(target, head.aux, Date.now()));
  await pump(source, new Scanner(make(writer)), { after: (bytes) => after(bytes) ?? sink.drain() });
  writer.finish();
  await sink.flush();
}

/** Writes a file that was prepared again, without what would end the server. */
async function leaveOut(deadly: DeadlyParts, file: string, taker: Taker, head: RdbHead): Promise<void> {
  const rest = `${file}.rest`;
  await inFile(rest, (handle) => {
    const make = (writer: RdbWriter) =>
      without(
        deadly,
        copier(writer, taker, null, () => {}),
      );
    return writeAnew(piecesOf(file), handle, taker, head, make, () => undefined);
  });
  await rename(rest, file);
}

function piecesOf(file: string): AsyncIterable<Buffer> {
  return createReadStream(file, { highWaterMark: 512 * 1024 });
}

function without({ keys, libraries }: DeadlyParts, inner: ScanHandler): ScanHandler {
  let [keyCount, libraryCount] = [0, 0];
  let isLeftOut = false;
  return {
    ...inner,
    functionLibrary: (code) => {
      if (!libraries.has(libraryCount++)) inner.functionLibrary?.(code);
    },
    moduleAux: (scanner) => {
      isLeftOut = false;
      return inner.moduleAux?.(scanner) ?? check;
    },
    key: (scanner) => {
      isLeftOut = keys.has(keyCount++);
      return isLeftOut ? passOver : inner.key(scanner);
    },
    end: (scanner) => {
      if (!isLeftOut) inner.end?.(scanner);
    },
  };
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
  onUnloadable: (unloadable: Unloadable) => void,
): ScanHandler {
  const prefix = Buffer.from(choice?.prefix ?? '');
  const entries = new EntryCopier(writer, target, { prefix, check: true, onUnloadable });
  const extras = new ExtrasCopier(writer, target, onUnloadable);
  let aux: Buffer[] | undefined;
  let copies = false;
  return {
    functionLibrary: (code) => {
      if (choice !== null) return;
      const before = extras.clashes.length;
      extras.functionLibrary(code);
      for (const reason of extras.clashes.slice(before)) onUnloadable({ what: 'function', reason });
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
