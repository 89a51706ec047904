/**
 * What an agent must know of a restore that it, or the agent before it, began: from the moment before writes are held
 * until they go on. Whoever finds the file brings the restore to its end.
 */
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import type { StatePaths } from '../state/paths.ts';
import { readNote } from '../state/read-note.ts';

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
  /** How many keys there are in it; null in a file of an older version. */
  keys: number | null;
  /** How many keys it had before; null as long as it was not pointed there. */
  keysBefore: number | null;
  /** What it called its history before; null as long as it was not pointed there. */
  historyBefore: string | null;
  /** begun: it was not pointed there yet. pointed: it was. written: it has all of the data, and that is on its disk. */
  stage: 'begun' | 'pointed' | 'written';
  startedAt: string;
}

const schema = z.object({
  backup: z.string(),
  primary: z.string(),
  from: z.object({ address: z.string(), port: z.int(), replicationId: z.string() }),
  keys: z.number().nullable().default(null),
  keysBefore: z.number().nullable(),
  historyBefore: z.string().nullable().default(null),
  // Of an older version nothing is concluded.
  stage: z.enum(['begun', 'pointed', 'written']).default('pointed'),
  startedAt: z.string(),
});

export async function writeMark(paths: StatePaths, mark: RestoreMark): Promise<void> {
  await writeFileAtomic(paths.restore, `${JSON.stringify(mark)}\n`);
}

/** @throws STATE_DIR_UNUSABLE */
export async function readMark(paths: StatePaths): Promise<RestoreMark | undefined> {
  const text = await readFileIfThere(paths.restore);
  if (text === undefined) return undefined;
  return readNote(text, schema, {
    file: paths.restore,
    says: 'which restore was under way',
    hint: 'Look who is primary and which data it has (holdfast status), remove the file, and run the restore again.',
  });
}

export async function removeMark(paths: StatePaths): Promise<void> {
  await rm(paths.restore, { force: true });
}
