/**
 * What an agent must know of a restore that it, or the agent before it, began: from the moment before writes are held
 * until they go on. Whoever finds the file brings the restore to its end.
 */
import { rm } from 'node:fs/promises';
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import type { StatePaths } from '../state/paths.ts';

/** Where the data is served. */
export interface DataPlace {
  address: string;
  port: number;
  /** What a server that has taken all of it calls its history. */
  replicationId: string;
}

export interface RestoreMark {
  /** What was being restored, for people. */
  backup: string;
  /** The member that takes the data. */
  primary: string;
  /** Where it takes it from. */
  from: DataPlace;
  /** How many keys it had before; null as long as it was not pointed there. */
  keysBefore: number | null;
  startedAt: string;
}

export async function writeMark(paths: StatePaths, mark: RestoreMark): Promise<void> {
  await writeFileAtomic(paths.restore, `${JSON.stringify(mark)}\n`);
}

export async function readMark(paths: StatePaths): Promise<RestoreMark | undefined> {
  const text = await readFileIfThere(paths.restore);
  return text === undefined ? undefined : (JSON.parse(text) as RestoreMark);
}

export async function removeMark(paths: StatePaths): Promise<void> {
  await rm(paths.restore, { force: true });
}
