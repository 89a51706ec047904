/**
 * Whether a server that runs keeps its data where its next start looks for it. One whose data folder is moved or deleted goes on
 * writing into the folder that it has, wherever that is now: nothing fails, and nobody finds what it writes.
 */
import { readlink, stat } from 'node:fs/promises';
import { errorCode } from '../../base/errors.ts';

/** What redis-server works in is its data folder: it changes to `dir` as it starts (config.c). */
const workFolderOf = (pid: number) => `/proc/${pid}/cwd`;

/** @returns where it writes instead, in words; null when all is well, or nobody can tell. */
export async function lostFolder(dataDir: string, pid: number): Promise<string | null> {
  const [wanted, actual] = await Promise.all([fileOf(dataDir), fileOf(workFolderOf(pid))]);
  // The process may have ended just now, and not every system has /proc.
  if (actual === null || wanted === actual) return null;
  return readlink(workFolderOf(pid)).catch(() => null);
}

/** Which one it is, whatever it is called; null when nothing is there. @throws what the system says else */
async function fileOf(name: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(name);
    return `${dev}:${ino}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
