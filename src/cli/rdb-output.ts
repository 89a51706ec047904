import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { temporaryName } from '../base/atomic-file.ts';
import {
  type AtomicFile,
  commitTogether,
  createAtomicFile,
  type GroupedFile,
} from '../base/atomic-stream.ts';
import { defineError, errorCode, errorText } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { outliveOutput } from '../base/outlive-output.ts';
import { ByteSink } from '../rdb/byte-sink.ts';
import type { Spill } from '../rdb/spill.ts';

const Unwritable = defineError('RDB_UNWRITABLE', 1);

/** Where a verb's bytes go: a file that is whole or not there, or stdout. */
export interface RdbOutput {
  sink: ByteSink;
  isStdout: boolean;
  /** Writes what is left, and gives the file its name. */
  commit(): Promise<void>;
  abandon(): Promise<void>;
}

/** One of several files that are worth nothing without each other: `commitAll` gives them their names. */
export interface PartOutput extends RdbOutput {
  file: GroupedFile;
}

/** @param file `-` is stdout; a pipe or a device is written to as it is. @throws RDB_UNWRITABLE */
export async function openOutput(file: string): Promise<RdbOutput> {
  if (file === '-') return stdoutOutput();
  try {
    return fileOutput(file, await openPlace(file));
  } catch (error) {
    throw unwritable(file, error);
  }
}

/** What a link leads to is replaced, and not the link. */
async function openPlace(file: string): Promise<AtomicFile> {
  if (file === '') throw new Error('it has no name');
  const found = await stat(file).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return createAtomicFile(file);
  if (found.isDirectory()) throw new Error('it is a folder');
  return found.isFile() ? createAtomicFile(await realpath(file)) : await openDevice(file);
}

/** Nothing can be taken back from a pipe or a device. */
async function openDevice(file: string): Promise<AtomicFile> {
  const handle = await open(file, 'w');
  return {
    write: (bytes) => handle.writeFile(bytes),
    commit: () => handle.close(),
    abandon: () => handle.close(),
    abandonNow: () => {},
  };
}

/** @returns the topmost folder that was made, if one was. @throws RDB_UNWRITABLE */
export async function makeOutputFolder(folder: string): Promise<string | undefined> {
  try {
    return await makeFolder(folder);
  } catch (error) {
    const why = errorCode(error) === 'EEXIST' ? new Error('it is a file, and should be a folder') : error;
    throw unwritable(folder, why);
  }
}

/** Gives all of them their names, or none. @throws RDB_UNWRITABLE */
export async function commitAll(outputs: readonly PartOutput[], folder: string): Promise<void> {
  for (const { sink } of outputs) await sink.flush();
  await commitTogether(outputs.map(({ file }) => file)).catch((error) =>
    Promise.reject(unwritable(folder, error)),
  );
  for (const { file } of outputs) unfinished.delete(file);
}

/** For those who find out what to write while they read: the file is opened behind their back. */
export function openOutputSync(file: string): PartOutput {
  const temporary = temporaryName(file);
  let opened: GroupedFile | undefined;
  const opening = createAtomicFile(file, 0o600, temporary).then((made) => {
    opened = made;
    return made;
  });
  // Whoever writes to it, or commits it, is told.
  opening.catch(() => {});
  const part: GroupedFile = {
    write: async (bytes) => (await opening).write(bytes),
    commit: async () => (await opening).commit(),
    seal: async () => (await opening).seal(),
    place: () => opened!.place(),
    abandon: async () => (await opening.catch(() => undefined))?.abandon(),
    // Also when it is being opened at this moment.
    abandonNow: () => rmSync(temporary, { force: true }),
  };
  return { ...fileOutput(file, part), file: part };
}

function fileOutput(file: string, atomic: AtomicFile): RdbOutput {
  unfinished.add(atomic);
  cleanUpOnSignals();
  const sink = new ByteSink((bytes) =>
    atomic.write(bytes).catch((error) => Promise.reject(unwritable(file, error))),
  );
  return {
    sink,
    isStdout: false,
    commit: async () => {
      await sink.flush();
      await atomic.commit().catch((error) => Promise.reject(unwritable(file, error)));
      unfinished.delete(atomic);
    },
    abandon: async () => {
      await atomic.abandon();
      unfinished.delete(atomic);
    },
  };
}

/** The last one is taken back first. */
const unfinished = new Set<Pick<AtomicFile, 'abandonNow'>>();

/** Has something taken back when the process is interrupted; returns what says that there is no need any more. */
export function onInterrupt(abandonNow: () => void): () => void {
  const entry = { abandonNow };
  unfinished.add(entry);
  cleanUpOnSignals();
  return () => unfinished.delete(entry);
}

let isWatching = false;

/** Someone who presses Ctrl-C finds no half of a file, under no name. */
function cleanUpOnSignals(): void {
  if (isWatching) return;
  isWatching = true;
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => {
      for (const file of [...unfinished].reverse()) file.abandonNow();
      process.exit(status);
    });
  }
}

function unwritable(file: string, error: unknown): Error {
  return Unwritable(`cannot write ${file}: ${errorText(error)}`, {
    hint: 'Nothing was left behind. Check the folder, its permissions and the space on the disk.',
    cause: error,
  });
}

function stdoutOutput(): RdbOutput {
  const sink = new ByteSink(
    (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error ? reject(stdoutFailed(error)) : resolve()));
      }),
  );
  // A reader that has seen enough (head) is told by the callback of the write.
  outliveOutput();
  return { sink, isStdout: true, commit: () => sink.flush(), abandon: async () => {} };
}

function stdoutFailed(error: unknown): Error {
  const isClosed = error instanceof Error && 'code' in error && error.code === 'EPIPE';
  if (isClosed) {
    return Unwritable('stdout was closed by its reader before everything was written', {
      hint: 'With head and the like that is as it should be. What was written is not the whole.',
      cause: error,
    });
  }
  return Unwritable(`cannot write stdout: ${errorText(error)}`, {
    hint: 'What was written is not the whole: do not use it. Check the space on the disk.',
    cause: error,
  });
}

/** A place for records that do not fit in memory: a folder of its own, made when it is needed. */
export function temporarySpill(): Spill & { dispose(): void } {
  let folder: string | undefined;
  const files = new Map<number, number>();
  const pathOf = (part: number) => path.join(folder as string, String(part));
  const clear = () => {
    for (const handle of files.values()) {
      ftruncateSync(handle);
      closeSync(handle);
    }
    files.clear();
  };
  return {
    append: (part, bytes) => {
      folder ??= mkdtempSync(path.join(os.tmpdir(), `holdfast-spill-${randomBytes(3).toString('hex')}-`));
      let handle = files.get(part);
      if (handle === undefined) {
        handle = openSync(pathOf(part), 'a', 0o600);
        files.set(part, handle);
      }
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at, bytes.length - at);
    },
    read: (part) => readFileSync(pathOf(part)),
    clear,
    dispose: () => {
      clear();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
