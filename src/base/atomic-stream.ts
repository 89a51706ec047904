/**
 * Files that are written bit by bit and appear under their names only when they are whole, one alone or several
 * together. A name is given without a wait in between, so no signal can cut it: rename(2), and link(2) for what was
 * there before.
 */
import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder, temporaryName } from './atomic-file.ts';
import { errorCode } from './errors.ts';

/** A file that is written bit by bit and appears under its name only when it is whole. */
export interface AtomicFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Syncs, and gives it its name. */
  commit(): Promise<void>;
  /** Leaves nothing behind. Does nothing after `commit`. */
  abandon(): Promise<void>;
  /** The same without waiting, for a process that is about to end. */
  abandonNow(): void;
}

/** One that can be committed together with others. */
export interface GroupedFile extends AtomicFile {
  /** Syncs. It can't be written to any more. */
  seal(): Promise<void>;
  /** Gives it its name; what was there before is kept until it is known whether the others have theirs. */
  place(): Placed;
}

export interface Placed {
  folder: string;
  /** Puts back what was there before, if anything was. */
  takeBack(): void;
  keep(): void;
}

const syncEveryBytes = 32 * 2 ** 20;

/** @param mode permission bits of the new file; 0o600 unless given. The folder must exist. */
export async function createAtomicFile(
  file: string,
  mode = 0o600,
  temporary = temporaryName(file),
): Promise<GroupedFile> {
  const folder = path.dirname(file);
  let handle: FileHandle | undefined = await open(temporary, 'wx', mode);
  let isNamed = false;
  const close = async () => {
    await handle?.close();
    handle = undefined;
  };
  let unsynced = 0;
  let syncing: Promise<void> = Promise.resolve();
  const seal = async () => {
    await syncing;
    await handle!.sync();
    await close();
  };
  return {
    write: async (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        at += (await handle!.write(bytes, at, bytes.length - at)).bytesWritten;
      }
      unsynced += bytes.length;
      if (unsynced < syncEveryBytes) return;
      unsynced = 0;
      // The disk starts early, so that the last sync, which is waited for, finds little to do.
      await syncing;
      syncing = handle!.datasync().catch(() => {});
    },
    seal,
    commit: async () => {
      await seal();
      refuseOddPlace(file);
      renameSync(temporary, file);
      isNamed = true;
      await syncFolder(folder);
    },
    place: () => {
      refuseOddPlace(file);
      const before = keepBefore(file);
      renameSync(temporary, file);
      isNamed = true;
      return {
        folder,
        takeBack: () => (before === undefined ? rmSync(file, { force: true }) : renameSync(before, file)),
        keep: () => before !== undefined && rmSync(before, { force: true }),
      };
    },
    abandon: async () => {
      if (isNamed) return;
      await syncing;
      await close();
      await rm(temporary, { force: true });
    },
    abandonNow: () => {
      if (!isNamed) rmSync(temporary, { force: true });
    },
  };
}

/** Gives all of them their names; when one can't have it, none has, and what was there before is there again. */
export async function commitTogether(files: readonly GroupedFile[]): Promise<void> {
  for (const file of files) await file.seal();
  const placed: Placed[] = [];
  try {
    for (const file of files) placed.push(file.place());
  } catch (error) {
    for (const each of placed.reverse()) each.takeBack();
    throw error;
  }
  for (const each of placed) each.keep();
  for (const folder of new Set(placed.map((each) => each.folder))) await syncFolder(folder);
}

/** A rename would put a file in the place of a device or a pipe, for everyone who uses it. */
function refuseOddPlace(file: string): void {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile() || found.isSymbolicLink()) return;
  throw new Error(
    `${file} is ${found.isDirectory() ? 'a folder' : 'no file, but a device, a pipe or a socket'}`,
  );
}

/** A second name for what is there; the first stays until a rename takes it. */
function keepBefore(file: string): string | undefined {
  const before = temporaryName(file);
  try {
    linkSync(file, before);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    // Not every file system has links.
    renameSync(file, before);
  }
  return before;
}
