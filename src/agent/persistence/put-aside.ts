import { rename } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfThere } from '../../base/atomic-file.ts';
import { errorCode } from '../../base/errors.ts';
import { makeFolder } from '../../base/make-folder.ts';
import type { UnitPaths } from '../state/paths.ts';
import { dataFiles } from './data-files.ts';

/** Keeps files that a member can't load, out of its way. @returns the folder that they are in now. */
export async function putDamagedAside({ dataDir, config }: UnitPaths, wallMs: number): Promise<string> {
  const files = dataFiles(dataDir, (await readFileIfThere(config)) ?? '');
  const time = new Date(wallMs).toISOString().replaceAll(/[:.]/g, '-');
  const folder = path.join(dataDir, `damaged-${time}`);
  await makeFolder(folder, 0o700);
  for (const file of [files.aofFolder, files.aofSingle, files.rdb]) {
    await rename(file, path.join(folder, path.basename(file))).catch((error) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
  }
  return folder;
}
