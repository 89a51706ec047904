import { bodyMode } from './body/mode.ts';
import type { FileHeader } from './format.ts';
import { Scanner } from './scanner.ts';

export interface RdbHead extends FileHeader {
  /** The fields before the first key: redis-ver, ctime, aof-base, repl-id and others, as text. */
  aux: Record<string, string>;
  /** Whether the file has any key or function. */
  hasData: boolean;
  /** How many keys the first database has, by the server's hint; 0 when there is none. */
  expectedKeys: number;
}

/**
 * Reads no more of a source than it takes to tell whether an RDB holds anything: an empty dump from one with data.
 * Nothing is verified beyond that.
 * @throws RDB_CORRUPT or RDB_TRUNCATED when it is not an RDB, or ends before it is clear.
 */
export async function readHead(source: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<RdbHead> {
  const reader = new HeadReader();
  for await (const chunk of source) if (reader.push(chunk)) break;
  return reader.finish();
}

/**
 * The same for a source that can be read only once. The source is closed when this ends, however it does.
 * @param use gets the head, and all of the source with what was read for the head.
 */
export async function withHead<T>(
  source: AsyncIterable<Buffer>,
  use: (head: RdbHead, whole: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  const reader = new HeadReader();
  const chunks = source[Symbol.asyncIterator]();
  const seen: Buffer[] = [];
  async function* whole(): AsyncGenerator<Buffer> {
    yield* seen;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      seen.push(Buffer.from(next.value));
      if (reader.push(next.value)) break;
    }
    return await use(reader.finish(), whole());
  } finally {
    await chunks.return?.();
  }
}

class HeadReader {
  private readonly aux: Record<string, string> = {};
  private hasData = false;
  private expectedKeys = 0;
  private readonly scanner = new Scanner({
    aux: (name, value) => {
      this.aux[name.toString()] = value.toString();
    },
    resizeDb: (keys) => {
      this.expectedKeys = keys;
    },
    functionLibrary: () => {
      this.hasData = true;
    },
    key: () => {
      this.hasData = true;
      return { mode: bodyMode.skip, raw: undefined };
    },
  });

  /** True when enough was read. Takes small bites, so that what is wrong further on does not matter. */
  push(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length && !this.isEnough(); at += 256) {
      this.scanner.push(chunk.subarray(at, at + 256));
    }
    return this.isEnough();
  }

  finish(): RdbHead {
    if (!this.hasData) this.scanner.finish();
    return { ...this.scanner.header, aux: this.aux, hasData: this.hasData, expectedKeys: this.expectedKeys };
  }

  private isEnough(): boolean {
    return this.hasData || this.scanner.isDone;
  }
}
