/** Files of a member that a change of persistence replaces: none goes before what takes its place is known to be whole. */
import { access, link, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../../base/errors.ts';
import { makeFolder } from '../../base/make-folder.ts';
import type { DataFiles } from './data-files.ts';

/** Moves what is there into `replaced/`. @returns that folder; null when there was nothing. */
export async function setAside(dataDir: string, files: readonly string[]): Promise<string | null> {
  const folder = replacedIn(dataDir);
  let moved = false;
  for (const file of files) {
    if (!(await exists(file))) continue;
    await makeFolder(folder, 0o700);
    const kept = path.join(folder, path.basename(file));
    // What an earlier change left there makes way.
    await rm(kept, { recursive: true, force: true });
    await rename(file, kept);
    moved = true;
  }
  return moved ? folder : null;
}

/** What the change before this one left there is not needed any more. */
export async function forgetReplaced(dataDir: string): Promise<void> {
  await rm(replacedIn(dataDir), { recursive: true, force: true });
}

function replacedIn(dataDir: string): string {
  return path.join(dataDir, 'replaced');
}

/**
 * To be called before a server saves its RDB for a change: the one that is there stays within reach under another name,
 * until `forgetKeptRdb`. One that is kept already, by a change that was cut off, is the one to keep.
 */
export async function keepRdb({ rdb }: DataFiles): Promise<void> {
  await link(rdb, keptName(rdb)).catch((error) => {
    if (!['ENOENT', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  });
}

/** In place of one that is not whole. @returns whether there was one. */
export async function putRdbBack({ rdb }: DataFiles): Promise<boolean> {
  if (!(await exists(keptName(rdb)))) return false;
  await rename(keptName(rdb), rdb);
  return true;
}

export async function forgetKeptRdb({ rdb }: DataFiles): Promise<void> {
  await rm(keptName(rdb), { force: true });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function keptName(rdb: string): string {
  return `${rdb}.before-change`;
}
