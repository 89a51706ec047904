/** How many keys a file has that a server has just written. */
import { createReadStream } from 'node:fs';
import { bodyMode } from '../../rdb/body/mode.ts';
import { pump } from '../../rdb/pump.ts';
import { Scanner } from '../../rdb/scanner.ts';

const pieceBytes = 256 * 1024;

/**
 * Reads an RDB, or the one at the head of an AOF, to its end, checksum included.
 * @throws RDB_CORRUPT, RDB_TRUNCATED, and RDB_UNSUPPORTED for one that only a newer holdfast can read.
 */
export async function countKeys(file: string): Promise<number> {
  let keys = 0;
  const scanner = new Scanner({
    key: () => {
      keys += 1;
      return { mode: bodyMode.skip, raw: undefined };
    },
  });
  await pump(createReadStream(file, { highWaterMark: pieceBytes }), scanner);
  return keys;
}
