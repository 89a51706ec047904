/**
 * A change of persistence that is under way, for whoever starts or stops this member next. It lies beside the member's
 * redis.conf from before anything is switched until the new files are what the server loads.
 */
import { rm } from 'node:fs/promises';
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import type { UnitPaths } from '../state/paths.ts';
import type { ChangeMark } from './plan.ts';

export async function writeChangeMark(paths: UnitPaths, mark: ChangeMark): Promise<void> {
  await writeFileAtomic(paths.persistence, `${JSON.stringify(mark)}\n`);
}

export async function readChangeMark(paths: UnitPaths): Promise<ChangeMark | null> {
  const text = await readFileIfThere(paths.persistence);
  return text === undefined ? null : parseChangeMark(text);
}

export function parseChangeMark(text: string): ChangeMark {
  return JSON.parse(text) as ChangeMark;
}

export async function removeChangeMark(paths: UnitPaths): Promise<void> {
  await rm(paths.persistence, { force: true });
}
