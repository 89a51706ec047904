/** Whose state a directory holds: one deployment, named in a file when its first agent starts. */

import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import { errorCode } from '../../base/errors.ts';
import { shown } from '../../base/shown.ts';
import { StateOfAnother } from '../errors.ts';
import type { StatePaths } from './paths.ts';

/** @throws STATE_OF_ANOTHER when the directory holds the state of a deployment of another name. */
export async function checkStateOwner(paths: StatePaths, name: string): Promise<void> {
  await ownerOf(paths, name);
}

/** The same, and the directory is this deployment's from now on. */
export async function claimState(paths: StatePaths, name: string): Promise<void> {
  if ((await ownerOf(paths, name)) === undefined) await writeFileAtomic(paths.deployment, `${name}\n`);
}

async function ownerOf(paths: StatePaths, name: string): Promise<string | undefined> {
  const text = await readFileIfThere(paths.deployment).catch((error) => {
    // Whoever may not look there may do nothing else there either, and is told so by that.
    if (errorCode(error) === 'EACCES' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  });
  const owner = text?.trim();
  if (owner === undefined || owner === '' || owner === name) return owner || undefined;
  throw StateOfAnother(`${paths.root} holds the state of ${shown(owner, 100)}, not of ${name}`, {
    hint: `Name the spec of ${shown(owner, 100)}, or the state directory of ${name} with --state-dir. Nothing was done.`,
  });
}
