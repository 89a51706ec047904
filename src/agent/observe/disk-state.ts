/** What a member would load from its data folder, read without starting Redis. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { readFileIfThere } from '../../base/atomic-file.ts';
import type { DiskState } from '../../topology/cold-start.ts';
import { parseChangeMark } from '../persistence/change-mark.ts';
import { aofParts, aofStamp, dataFiles, kindInConf } from '../persistence/data-files.ts';
import { type DataKind, kindOnDisk } from '../persistence/plan.ts';
import type { UnitPaths } from '../state/paths.ts';

/**
 * Looks at the files that it loads as it is configured: the parts of its AOF, or its RDB. What else lies there is no
 * data: an AOF that is switched off is from another time. Nor is a file that holds no key: Redis writes such files for an
 * empty database too. Before it was ever configured, everything counts.
 */
export async function readDiskState({ dataDir, config, persistence }: MemberFiles): Promise<DiskState> {
  const conf = await textIfThere(config);
  const files = dataFiles(dataDir, conf ?? '');
  const mark = await textIfThere(persistence);
  const kind = mark === undefined ? kindInConf(conf ?? '') : kindByMark(mark, await aofStamp(files));
  const parts = await aofParts(files);
  if (conf === undefined || kind === null) return stateOf([...parts, files.rdb]);
  return stateOf(kind === 'aof' ? parts : [files.rdb]);
}

/** Null when the mark does not say: then everything counts. Whoever starts the member says what is wrong with it. */
function kindByMark(text: string, aof: string | null): DataKind | null {
  try {
    return kindOnDisk(parseChangeMark(text, ''), aof);
  } catch {
    return null;
  }
}

/** Where the member's files lie. */
export type MemberFiles = Pick<UnitPaths, 'dataDir' | 'config' | 'persistence'>;

async function stateOf(files: readonly string[]): Promise<DiskState> {
  let writtenAtMs = 0;
  for (const file of files) {
    // Redis, and people, may take a file away between the listing and the look at it.
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) continue;
    const holds = found.size > 0 && (await holdsData(file, found.size));
    if (holds) writtenAtMs = Math.max(writtenAtMs, found.mtimeMs);
  }
  return { hasData: writtenAtMs > 0, writtenAtMs };
}

function textIfThere(file: string): Promise<string | undefined> {
  return readFileIfThere(file).catch(() => undefined);
}

/** `REDIS` and four digits, or, since Valkey 9, `VALKEY` and three. */
const magic = /^(?:REDIS\d{4}|VALKEY\d{3})$/;
const headerBytes = 9;
const checksumBytes = 8;
const auxField = 0xfa;
const endOfFile = 0xff;

/**
 * Whether a file that is not empty holds anything. An RDB, or the RDB at the head of an AOF, may have auxiliary fields
 * and nothing else; whatever follows its checksum are an AOF's commands. What can't be read counts as data.
 */
async function holdsData(file: string, size: number): Promise<boolean> {
  const head = await readHead(file);
  if (head === undefined || !magic.test(head.toString('latin1', 0, headerBytes))) return true;
  let at = headerBytes;
  while (at < head.length && head[at] === auxField) {
    const key = skipString(head, at + 1);
    at = key === undefined ? head.length : (skipString(head, key) ?? head.length);
  }
  return at >= head.length || head[at] !== endOfFile || size > at + 1 + checksumBytes;
}

async function readHead(file: string): Promise<Buffer | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const head = Buffer.alloc(4096);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
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
