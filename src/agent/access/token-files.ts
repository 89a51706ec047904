/** The deployment's own tokens lie in files of the state directory, for its owner and for programs that read a file. */
import { rm } from 'node:fs/promises';
import { writeFileIfNew } from '../../base/atomic-file.ts';
import type { StatePaths } from '../state/paths.ts';
import { type OwnTokens, Tokens } from './tokens.ts';

/** Writes those that are valid on this host, and takes away those that were revoked. @throws STATE_DIR_UNUSABLE */
export async function writeTokenFiles(paths: StatePaths, own: OwnTokens): Promise<void> {
  const tokens = new Tokens(paths.tokens, own);
  for (const [name, file, text] of [
    ['read', paths.apiToken, own.apiToken],
    ['operate', paths.apiOperateToken, own.apiOperateToken],
  ] as const) {
    if (tokens.named(name) === undefined) await rm(file, { force: true });
    else await writeFileIfNew(file, `${text}\n`);
  }
}
