/**
 * Makes a folder, and those above it that are missing, one by one. Node's own `recursive` goes round for ever where the
 * system says of a folder in one that is there that there is nothing: in /proc, on a mount that went away.
 */
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from './errors.ts';

/**
 * @param mode permission bits of each that is made.
 * @returns the topmost that was made, absolute; undefined when it was there. @throws what the system says
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<string | undefined> {
  const whole = path.resolve(folder);
  const code = await tryToMake(whole, mode);
  if (code !== 'ENOENT') return code === undefined ? whole : undefined;
  const above = path.dirname(whole);
  const top = above === whole ? undefined : await makeFolder(above, mode);
  // What is above it is there now: whatever the system says then is final, unless somebody else was quicker.
  const made = (await tryToMake(whole, mode, 'last')) === undefined;
  return top ?? (made ? whole : undefined);
}

/** @returns undefined when it was made, EEXIST when it is there, ENOENT when what is above it is not. */
async function tryToMake(folder: string, mode: number, isLast?: 'last'): Promise<string | undefined> {
  try {
    await mkdir(folder, { mode });
    return undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && isLast === undefined) return 'ENOENT';
    // Systems differ in what they say first of a folder that is there, where nothing may be written.
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory()) return 'EEXIST';
    throw error;
  }
}
