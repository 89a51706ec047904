/** What a member's data folder holds, read without starting Redis. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import type { DiskState } from '../topology/cold-start.ts';

/**
 * Looks for an AOF (7.0's folder of parts, or the single file of 6.2) and an RDB. A part that holds no key counts
 * as no data: Redis writes such files for an empty database too.
 */
export function readDiskState(dataDir: string): DiskState {
  const files = [
    ...filesIn(path.join(dataDir, 'appendonlydir')),
    ...filesIn(dataDir).filter((file) => /\.(rdb|aof)$/.test(file)),
  ].filter((file) => /\.(rdb|aof)$/.test(file) && !path.basename(file).startsWith('temp-'));
  let writtenAtMs = 0;
  for (const file of files) {
    const stat = statSync(file);
    const holds = file.endsWith('.rdb') ? rdbHoldsKeys(file) : stat.size > 0;
    if (holds) writtenAtMs = Math.max(writtenAtMs, stat.mtimeMs);
  }
  return { hasData: writtenAtMs > 0, writtenAtMs };
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

const auxField = 0xfa;
const endOfFile = 0xff;

/** Whether anything follows the auxiliary fields at the head of an RDB. A file that can't be read counts as data. */
function rdbHoldsKeys(file: string): boolean {
  const head = Buffer.alloc(4096);
  const handle = openSync(file, 'r');
  const length = readSync(handle, head, 0, head.length, 0);
  closeSync(handle);
  let at = 9;
  while (at < length && head[at] === auxField) {
    const key = skipString(head, at + 1);
    at = key === undefined ? length : (skipString(head, key) ?? length);
  }
  return length > 0 && (at >= length || head[at] !== endOfFile);
}

/** The offset after an RDB string, or undefined when it reaches beyond the buffer. Aux values are short. */
function skipString(buffer: Buffer, at: number): number | undefined {
  const first = buffer[at];
  if (first === undefined) return undefined;
  const top = first >> 6;
  if (top === 0) return at + 1 + first;
  if (top === 1) return at + 2 + (((first & 0x3f) << 8) | (buffer[at + 1] ?? 0));
  if (top === 3 && first <= 0xc2) return at + 1 + 2 ** (first & 0x3f);
  return undefined;
}
