import { bodyMode } from './body/mode.ts';
import type { FileHeader } from './format.ts';
import { Scanner } from './scanner.ts';

export interface RdbHead extends FileHeader {
  /** The fields before the first key: redis-ver, ctime, aof-base, repl-id and others, as text. */
  aux: Record<string, string>;
  /** Whether the file has any key or function. */
  hasData: boolean;
}

/**
 * Reads no more of a source than it takes to tell whether an RDB holds anything: an empty dump from one with data.
 * Nothing is verified beyond that.
 * @throws RDB_CORRUPT or RDB_TRUNCATED when it is not an RDB, or ends before it is clear.
 */
export async function readHead(source: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<RdbHead> {
  const aux: Record<string, string> = {};
  let hasData = false;
  const scanner = new Scanner({
    aux: (name, value) => {
      aux[name.toString()] = value.toString();
    },
    functionLibrary: () => {
      hasData = true;
    },
    key: () => {
      hasData = true;
      return { mode: bodyMode.skip, raw: undefined };
    },
  });
  for await (const chunk of source) {
    // Small bites, so that what is wrong further on does not matter.
    for (let at = 0; at < chunk.length && !hasData; at += 256) scanner.push(chunk.subarray(at, at + 256));
    if (hasData || scanner.isDone) break;
  }
  if (!hasData) scanner.finish();
  return { ...scanner.header, aux, hasData };
}
