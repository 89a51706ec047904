import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from './errors.ts';
import { makeFolder } from './make-folder.ts';

/** Of a name so many bytes are taken over: a name of any length that may be has room for more. */
const keptNameBytes = 200;

/** A name beside the file, for what is written to it until it is whole. */
export function temporaryName(file: string): string {
  const name = Buffer.from(path.basename(file)).subarray(0, keptNameBytes).toString();
  return path.join(path.dirname(file), `.${name}.${randomBytes(6).toString('hex')}.tmp`);
}

/**
 * Writes a file whole or not at all: a reader sees the old text or the new, also after a power cut. The bytes are
 * synced before the rename, and the folder after it. Missing folders are made, readable by their owner only.
 * @param mode permission bits of the new file; 0o600 unless given.
 */
export async function writeFileAtomic(file: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  const folder = path.dirname(file);
  await makeFolder(folder, 0o700);
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/**
 * The same with 0o600, unless the file is there, says that already and is its owner's only: nothing is synced then, which
 * takes its time on a busy disk.
 */
export async function writeFileIfNew(file: string, text: string): Promise<void> {
  const isSame = (await readFileIfThere(file)) === text && ((await stat(file)).mode & 0o777) === 0o600;
  if (!isSame) await writeFileAtomic(file, text);
}

/** The file's text, or undefined when there is no such file. Other failures are thrown. */
export async function readFileIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes durable what was created, renamed or removed in a folder. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
