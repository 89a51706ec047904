/**
 * An RDB, or an AOF in one part or several, as a stream reads it: its data first, then the commands that were appended, if
 * there are any.
 *
 * - A part that begins with the magic of an RDB has that first; what stands behind it, and all of the other parts, are commands.
 * - The place counts the bytes of the commands. Its history is called by what the files were when they were looked at: in files
 *   that have changed since, a place means nothing.
 */
import { createHash } from 'node:crypto';
import { bodyMode } from '../../rdb/body/mode.ts';
import { Scanner } from '../../rdb/scanner.ts';
import { StreamPlaceLost } from '../../stream/errors.ts';
import type { Feed, FiniteSource, Snapshot } from '../../stream/feed.ts';
import type { Place } from '../../stream/position.ts';

export interface DataFile {
  /** For people. */
  name: string;
  /** Undefined when nobody knows before it was read. */
  bytes: number | undefined;
  /** Another one when the file has changed. */
  stamp: string;
  /** A piece is valid until the one after the next is asked for. */
  open(signal: AbortSignal): AsyncIterable<Buffer>;
}

/** @param parts in the order in which a server loads them; not none. */
export function finiteSource(name: string, parts: readonly DataFile[]): FiniteSource {
  return {
    kind: 'finite',
    name,
    open: async (place, signal) => await FileFeed.open(name, parts, place, signal),
  };
}

const nothing = () => ({ mode: bodyMode.skip, raw: undefined });

/** `REDIS0012` and `VALKEY080` begin so. */
const magicBytes = 6;

class FileFeed implements Feed {
  readonly place: Place;
  readonly #bytes: number | undefined;
  readonly #isAlone: boolean;
  #hasSnapshot = true;
  readonly #pieces: AsyncGenerator<Buffer>;
  readonly #stop: AbortController;
  /** What was read and is not given yet. */
  #ahead: Buffer | undefined;
  #snapshotIsOver = false;
  #failure: { error: unknown } | undefined;

  private constructor(parts: readonly DataFile[], place: Place, stop: AbortController) {
    this.place = place;
    this.#stop = stop;
    this.#pieces = piecesOf(parts, stop.signal);
    this.#bytes = parts[0]?.bytes;
    this.#isAlone = parts.length === 1;
  }

  static async open(
    name: string,
    parts: readonly DataFile[],
    place: Place | null,
    signal: AbortSignal,
  ): Promise<Feed> {
    const stop = new AbortController();
    const replId = createHash('sha1')
      .update(parts.map(({ stamp }) => stamp).join('\n'))
      .digest('hex');
    if (place !== null && place.replId !== replId) {
      throw StreamPlaceLost(`${name} is not what it was when a part of it was read`, {
        hint: 'Abort this migration, remove what it copied, and begin again with files that nobody writes to.',
      });
    }
    signal.throwIfAborted();
    const made = new FileFeed(parts, place ?? { replId, offset: 0, db: 0 }, stop);
    made.#hasSnapshot = await made.#beginsWithRdb();
    if (place !== null) {
      if (made.#hasSnapshot) await made.#passOverSnapshot();
      made.#hasSnapshot = false;
      await made.#passOver(place.offset);
    }
    return made;
  }

  get snapshot(): Snapshot | undefined {
    return this.#hasSnapshot ? { bytes: this.#bytes, data: this.#snapshotPieces() } : undefined;
  }

  snapshotEnded(rest: Buffer): void {
    this.#snapshotIsOver = true;
    this.#ahead = rest.length === 0 ? undefined : rest;
  }

  async *commands(): AsyncGenerator<Buffer> {
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) yield piece;
  }

  acknowledge(): void {}

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort(error);
  }

  close(): void {
    this.#stop.abort(new Error('nobody reads any more'));
    this.#pieces.return(undefined).catch(() => {});
  }

  async #beginsWithRdb(): Promise<boolean> {
    let begins: Buffer = Buffer.alloc(0);
    while (begins.length < magicBytes) {
      const piece = await this.#next();
      if (piece === undefined) break;
      begins = begins.length === 0 ? piece : Buffer.concat([begins, piece]);
    }
    this.#ahead = begins.length === 0 ? undefined : begins;
    // A server with nothing in it leaves no such file; a full disk does.
    if (begins.length === 0 && this.#isAlone) new Scanner({ key: nothing }).finish();
    return /^(REDIS|VALKEY)/.test(begins.toString('latin1', 0, magicBytes));
  }

  async *#snapshotPieces(): AsyncGenerator<Buffer> {
    while (!this.#snapshotIsOver) {
      const piece = await this.#next();
      if (piece === undefined) return;
      yield piece;
    }
  }

  async #next(): Promise<Buffer | undefined> {
    this.#throwIfEnded();
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined) return ahead;
    const next = await this.#pieces.next();
    this.#throwIfEnded();
    return next.done ? undefined : next.value;
  }

  #throwIfEnded(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #passOverSnapshot(): Promise<void> {
    const scanner = new Scanner({ key: nothing }, { checksum: false });
    for await (const piece of this.#snapshotPieces()) {
      const taken = scanner.push(piece);
      if (scanner.isDone) this.snapshotEnded(piece.subarray(taken));
    }
  }

  async #passOver(bytes: number): Promise<void> {
    let left = bytes;
    while (left > 0) {
      const piece = await this.#next();
      if (piece === undefined) return;
      if (piece.length > left) this.#ahead = piece.subarray(left);
      left -= Math.min(left, piece.length);
    }
  }
}

async function* piecesOf(parts: readonly DataFile[], signal: AbortSignal): AsyncGenerator<Buffer> {
  for (const part of parts) yield* part.open(signal);
}
