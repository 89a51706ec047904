/**
 * What an agent must know of a restore that it, or the agent before it, began: from the moment before the primary is
 * pointed at the data until it is primary again. Whoever finds the file brings the restore to its end.
 */
import { rm } from 'node:fs/promises';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import type { StatePaths } from './paths.ts';

export interface RestoreMark {
  /** What was being restored, for people. */
  backup: string;
  /** The member that takes the data. */
  primary: string;
  /** Where it takes it from. */
  from: { address: string; port: number };
  /** How many keys it had before. */
  keysBefore: number;
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
