/**
 * The record of who has a state directory. On a full disk, where an agent has to look after what runs there all the same, it is
 * what a symbolic link says instead of what lies in a file: so short a text has its place in the link itself (ext4, XFS, tmpfs).
 */
import { readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { readFileIfThere } from '../../base/atomic-file.ts';
import { isDiskFull } from '../../base/errors.ts';

/** Not synced. @throws EEXIST when there is a file of this name */
export async function writeRecord(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    await rm(file, { force: true });
    await symlink(text, file).catch(() => {
      throw error;
    });
  }
}

/** Undefined when there is none. */
export async function readRecord(file: string): Promise<string | undefined> {
  // Of what is no link it says EINVAL.
  return await readlink(file).catch(() => readFileIfThere(file));
}
