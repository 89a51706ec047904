import { existsSync } from 'node:fs';
import { readFileIfThere } from '../../base/atomic-file.ts';
import type { ServerVersion } from '../../process/programs.ts';
import { ServerTooOld } from '../errors.ts';
import type { UnitPaths } from '../state/paths.ts';
import { dataFiles, kindInConf } from './data-files.ts';

/**
 * A server before Redis 7.0 knows an AOF of one file only: over a folder of parts it would come up empty.
 * @throws SERVER_TOO_OLD
 */
export async function checkEngineReads(
  members: readonly { id: string; paths: Pick<UnitPaths, 'dataDir' | 'config'> }[],
  { product, major, version }: ServerVersion,
): Promise<void> {
  if (product !== 'Redis' || major >= 7) return;
  for (const { id, paths } of members) {
    const conf = (await readFileIfThere(paths.config)) ?? '';
    const { aofManifest } = dataFiles(paths.dataDir, conf);
    if (kindInConf(conf) !== 'aof' || !existsSync(aofManifest)) continue;
    throw ServerTooOld(`Redis ${version} does not read the AOF of ${id}: it was written by 7.0 or newer`, {
      hint: 'It would come up empty. Start it with the engine that wrote it; to go back to an older one, restore a backup into a new deployment.',
    });
  }
}
