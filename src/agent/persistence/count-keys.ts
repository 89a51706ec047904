/** How many keys a file has that a server has just written. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { bodyMode } from '../../rdb/body/mode.ts';
import { pump } from '../../rdb/pump.ts';
import { Scanner } from '../../rdb/scanner.ts';

const pieceBytes = 256 * 1024;

/**
 * Reads an RDB, or the one at the head of an AOF, to its end, checksum included.
 * @returns null for an AOF that begins with commands (aof-use-rdb-preamble no).
 * @throws RDB_CORRUPT, RDB_TRUNCATED, and RDB_UNSUPPORTED for one that only a newer holdfast can read.
 */
export async function countKeys(file: string): Promise<number | null> {
  if (await beginsWithCommand(file)) return null;
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

async function beginsWithCommand(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, 0);
    return bytesRead === 1 && buffer.toString() === '*';
  } finally {
    await handle.close();
  }
}
