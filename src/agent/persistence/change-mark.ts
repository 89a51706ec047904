/**
 * A change of persistence that is under way, for whoever starts or stops this member next. It lies beside the member's
 * redis.conf from before anything is switched until the new files are what the server loads.
 */
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import type { UnitPaths } from '../state/paths.ts';
import { readNote } from '../state/read-note.ts';
import type { ChangeMark } from './plan.ts';

const kind = z.enum(['aof', 'rdb', 'none']);
const stamp = z.string().nullable();
const schema = z.object({
  from: kind,
  to: kind,
  stage: z.enum(['writing', 'written']),
  aofBefore: stamp,
  rdbBefore: stamp,
  savedFirst: z.boolean().default(false),
  startedAt: z.string().default(''),
});

export async function writeChangeMark(paths: UnitPaths, mark: ChangeMark): Promise<void> {
  await writeFileAtomic(paths.persistence, `${JSON.stringify(mark)}\n`);
}

export async function readChangeMark(paths: UnitPaths): Promise<ChangeMark | null> {
  const text = await readFileIfThere(paths.persistence);
  return text === undefined ? null : parseChangeMark(text, paths.persistence);
}

/** @param file for the message. @throws STATE_DIR_UNUSABLE */
export function parseChangeMark(text: string, file: string): ChangeMark {
  return readNote(text, schema, {
    file,
    says: 'how far the change of persistence is',
    hint: 'Keep a copy of the data folder beside it. Then remove the file: what `appendonly` in redis.conf says is loaded, and the change begins anew.',
  });
}

export async function removeChangeMark(paths: UnitPaths): Promise<void> {
  await rm(paths.persistence, { force: true });
}
