import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, type FileHandle, link, lstat, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../base/atomic-file.ts';
import { createAtomicFile } from '../base/atomic-stream.ts';
import { errorCode, errorText, HoldfastError } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { shown } from '../base/shown.ts';
import { BackupNotFound, StoreDenied, StoreFailed, StoreFull } from './errors.ts';
import type { BackupStore, StoredObject, Upload } from './store.ts';

const chunkBytes = 2 ** 20;
/** Small objects are written within moments: what is older was left by a process that is gone. */
const putLeftoverMs = 3_600_000;

/**
 * A folder. Objects are written under a hidden name, synced, and renamed: uploads end in `.tmp`, small objects in
 * `.put`. It is made when it is missing, with what is above it, readable by its owner only.
 */
export class FileStore implements BackupStore {
  readonly url: string;
  readonly #folder: string;

  /** @param folder an absolute path. */
  constructor(url: string, folder: string) {
    this.url = url;
    this.#folder = folder;
  }

  async list(prefix: string): Promise<StoredObject[]> {
    const found: StoredObject[] = [];
    for (const name of await this.#names()) {
      if (name.startsWith('.') || !name.startsWith(prefix)) continue;
      const entry = await this.#stat(name);
      if (entry === undefined) continue;
      const unusable = whatElse(entry);
      const object = { name, bytes: entry.size, modifiedMs: entry.mtimeMs };
      found.push(unusable === undefined ? object : { ...object, bytes: 0, unusable });
    }
    return found;
  }

  async *read(name: string, offset = 0): AsyncGenerator<Buffer> {
    let handle: FileHandle;
    try {
      handle = await open(this.#path(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      throw this.#explain('read', name, error);
    }
    try {
      // A pipe would be waited for without end.
      const unusable = whatElse(await handle.stat());
      if (unusable !== undefined) throw new Error(`it is ${unusable}`);
      // Two buffers take turns: the next piece is read while the one before is worked on.
      const buffers = [0, 1, 2].map(() => Buffer.allocUnsafeSlow(chunkBytes));
      let at = offset;
      let turn = 0;
      let reading = handle.read(buffers[0]!, 0, chunkBytes, at);
      try {
        for (;;) {
          const { bytesRead } = await reading;
          if (bytesRead === 0) return;
          at += bytesRead;
          const piece = buffers[turn]!.subarray(0, bytesRead);
          turn = (turn + 1) % buffers.length;
          reading = handle.read(buffers[turn]!, 0, chunkBytes, at);
          yield piece;
        }
      } finally {
        await reading.catch(() => {});
      }
    } catch (error) {
      throw this.#explain('read', name, error);
    } finally {
      await handle.close();
    }
  }

  async upload(name: string): Promise<Upload> {
    const file = await this.#guard('write', name, async () => {
      await this.#makeFolder();
      return await createAtomicFile(this.#path(name));
    });
    const guard = <T>(work: () => Promise<T>) => this.#guard('write', name, work);
    return {
      write: (bytes) => guard(() => file.write(bytes)),
      commit: () =>
        guard(async () => {
          await file.commit();
        }),
      abandon: () => guard(() => file.abandon()),
    };
  }

  async put(name: string, bytes: Buffer, options: { ifAbsent?: boolean } = {}): Promise<boolean> {
    return await this.#guard('write', name, async () => {
      await this.#makeFolder();
      const target = this.#path(name);
      const temporary = path.join(this.#folder, `.${name}.${randomBytes(6).toString('hex')}.put`);
      try {
        await writeSynced(temporary, bytes);
        if (options.ifAbsent) {
          try {
            await link(temporary, target);
          } catch (error) {
            if (errorCode(error) === 'EEXIST') return false;
            throw error;
          }
        } else {
          await rename(temporary, target);
        }
      } finally {
        await rm(temporary, { force: true });
      }
      await syncFolder(this.#folder);
      return true;
    });
  }

  async remove(name: string): Promise<void> {
    await this.#guard('remove', name, async () => {
      try {
        await unlink(this.#path(name));
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    });
  }

  async sweep(beforeMs: number): Promise<number> {
    let swept = 0;
    for (const name of await this.#names()) {
      if (!/^\..+\.[0-9a-f]{12}\.(tmp|put)$/.test(name)) continue;
      const entry = await this.#stat(name);
      const limitMs = name.endsWith('.put') ? Math.min(beforeMs, Date.now()) - putLeftoverMs : beforeMs;
      if (entry === undefined || entry.mtimeMs >= limitMs) continue;
      await this.remove(name);
      swept++;
    }
    return swept;
  }

  /** Names come from manifests and listings too: none may lead out of the folder. */
  #path(name: string): string {
    if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
      throw StoreFailed(`${shown(name)} is no name of an object in ${this.url}`, {
        hint: 'Something else than holdfast wrote into the store: look at who may.',
      });
    }
    return path.join(this.#folder, name);
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      // Before the first backup there is no folder; one that cannot be read is another matter.
      if (errorCode(error) === 'ENOENT') return [];
      throw this.#explain('list', undefined, error);
    }
  }

  async #stat(name: string) {
    try {
      // A link is none of ours: it may lead anywhere.
      return await lstat(this.#path(name));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw this.#explain('look at', name, error);
    }
  }

  async #makeFolder(): Promise<void> {
    await makeFolder(this.#folder, 0o700);
    await access(this.#folder, constants.W_OK);
  }

  async #guard<T>(doing: string, name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#explain(doing, name, error);
    }
  }

  #explain(doing: string, name: string | undefined, error: unknown): Error {
    if (error instanceof HoldfastError) return error;
    const what = `cannot ${doing} ${name === undefined ? this.#folder : this.#path(name)}: ${errorText(error)}`;
    const details = { cause: error };
    switch (errorCode(error)) {
      case 'ENOENT':
        return BackupNotFound(what, { ...details, hint: 'holdfast backup list shows what is there.' });
      case 'EACCES':
      case 'EPERM':
      case 'EROFS':
        return StoreDenied(what, {
          ...details,
          hint: `The user that runs holdfast must be able to write in ${this.#folder}.`,
        });
      case 'ENOSPC':
      case 'EDQUOT':
        return StoreFull(what, {
          ...details,
          hint: 'Make room there, keep fewer backups (backup.keep), or compress them (backup.compression).',
        });
      default:
        return StoreFailed(what, { ...details, hint: `Check the disk or the mount of ${this.#folder}.` });
    }
  }
}

/** What an entry is that is no file; undefined for a file. */
function whatElse(entry: Stats): string | undefined {
  if (entry.isFile()) return undefined;
  if (entry.isSymbolicLink()) return 'a symbolic link, and links are not followed';
  if (entry.isDirectory()) return 'a folder';
  if (entry.isFIFO()) return 'a pipe';
  return entry.isSocket() ? 'a socket' : 'a device';
}

async function writeSynced(file: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
