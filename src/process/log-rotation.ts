import { rename, rm, stat } from 'node:fs/promises';
import { errorCode } from '../base/errors.ts';

/** Bytes at which a log is set aside, and how many old ones are kept beside it. */
export interface RotationRule {
  maxBytes: number;
  keep: number;
}

export const defaultRotation: RotationRule = { maxBytes: 10 * 2 ** 20, keep: 5 };

/**
 * Renames `file` to `file.1`, `file.1` to `file.2` and so on when it has grown too large. Whoever writes to it must
 * open it anew for each line, as Redis does, or keep its descriptor on the renamed file until it restarts.
 * @returns whether it was rotated.
 */
export async function rotateLog(file: string, rule: RotationRule = defaultRotation): Promise<boolean> {
  try {
    if ((await stat(file)).size < rule.maxBytes) return false;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  await rm(`${file}.${rule.keep}`, { force: true });
  for (let n = rule.keep - 1; n >= 1; n--) await renameIfThere(`${file}.${n}`, `${file}.${n + 1}`);
  await rename(file, `${file}.1`);
  return true;
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
