import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

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

const syncEveryBytes = 32 * 2 ** 20;

/** A name beside the file, for what is written to it until it is whole. */
export function temporaryName(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
}

/** @param mode permission bits of the new file; 0o600 unless given. The folder must exist. */
export async function createAtomicFile(
  file: string,
  mode = 0o600,
  temporary = temporaryName(file),
): Promise<AtomicFile> {
  const folder = path.dirname(file);
  let handle: FileHandle | undefined = await open(temporary, 'wx', mode);
  const close = async () => {
    await handle?.close();
    handle = undefined;
  };
  let unsynced = 0;
  let syncing: Promise<void> = Promise.resolve();
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
    commit: async () => {
      await syncing;
      await handle!.sync();
      await close();
      await rename(temporary, file);
      const parent = await open(folder, 'r');
      try {
        await parent.sync();
      } finally {
        await parent.close();
      }
    },
    abandon: async () => {
      if (handle === undefined) return;
      await syncing;
      await close();
      await rm(temporary, { force: true });
    },
    abandonNow: () => {
      if (handle !== undefined) rmSync(temporary, { force: true });
    },
  };
}
