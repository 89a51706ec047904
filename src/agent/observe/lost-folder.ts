/**
 * Whether a server that runs keeps its data where its next start looks for it. One whose data folder is moved or deleted goes on
 * writing into the folder that it has, wherever that is now: nothing fails, and nobody finds what it writes.
 */
import { readlink, stat } from 'node:fs/promises';
import { errorCode } from '../../base/errors.ts';
import type { MemberObservation } from './member-watch.ts';

/** A member with what it was seen to hold. */
export interface Keeping {
  readonly place: { readonly id: string };
  /** Null for a member of another host. */
  readonly unit: {
    readonly process: { readonly running: boolean; readonly pid: number | null };
    readonly paths: { readonly dataDir: string };
  } | null;
  readonly watch: { readonly seen: Pick<MemberObservation, 'reachable' | 'keys' | 'role' | 'linkUp'> };
}

/** Whether it has the deployment's data, in memory at least. */
export function holdsData({ watch: { seen } }: Pick<Keeping, 'watch'>): boolean {
  return seen.reachable && (seen.keys ?? 0) > 0 && (seen.role === 'primary' || seen.linkUp);
}

/** The same as lostFolder, of a member; null also of one that does not run here. */
export async function lostFolderOf({ unit }: Pick<Keeping, 'unit'>): Promise<string | null> {
  const pid = unit?.process.running === true ? unit.process.pid : null;
  return unit === null || pid === null ? null : lostFolder(unit.paths.dataDir, pid);
}

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
