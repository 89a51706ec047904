/**
 * The part of a queue that is on disk: files in a folder, each of which goes on where the one before ends. They are
 * readable by their owner only, and those that nobody needs any more are removed one by one.
 *
 * Whoever calls waits for one call before the next; only what `read` gives may be read beside the others.
 */
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { makeFolder } from '../../base/make-folder.ts';
import { headBytes, headRecord, type Named, RecordReader, readHead, recordsOf } from './queue-file.ts';

interface QueueFile {
  path: string;
  number: number;
  /** Offsets of the stream. */
  start: number;
  end: number;
  /** Bytes of it that are sound. */
  size: number;
  names: readonly Named[];
  /** Places from which it may be read, in order: one for each megabyte. */
  marks: { offset: number; position: number }[];
}

const nameShape = /^(\d{12})\.queue$/;
const markEvery = 2 ** 20;

export class DiskQueue {
  readonly #folder: string;
  readonly #fileBytes: number;
  readonly #files: QueueFile[] = [];
  /** Of the last file, when it is written to. */
  #handle: FileHandle | undefined;

  /** @param fileBytes a file ends when it has so many */
  constructor(folder: string, fileBytes: number) {
    this.#folder = folder;
    this.#fileBytes = fileBytes;
  }

  /**
   * Takes over what an earlier process left, as far as it is sound and without a gap.
   * @param saw is told of each record, in order: where it ends, and when it was written
   */
  async load(saw: (offset: number, atMs: number) => void): Promise<void> {
    for (const name of (await namesIn(this.#folder)).toSorted()) {
      const file = await readFileOf(path.join(this.#folder, name), saw);
      const last = this.#files.at(-1);
      if (file === undefined || (last !== undefined && file.start !== last.end)) await this.#forget(name);
      else this.#files.push(file);
    }
  }

  /** Offset of the first byte; undefined when nothing is there. */
  get start(): number | undefined {
    return this.#files[0]?.start;
  }

  get end(): number | undefined {
    return this.#files.at(-1)?.end;
  }

  /** The names of its history; none when nothing is there. */
  get names(): readonly Named[] {
    const last = this.#files.at(-1);
    // What was cut off, or is not written yet, is not there under any name.
    return last === undefined
      ? []
      : last.names.map(({ replId, from }) => ({ replId, from: Math.min(from, last.end) }));
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#files.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Adds what follows.
   * @param start where it begins, which counts when nothing is there
   * @throws what the system says, ENOSPC for example: then nothing was added
   */
  async append(bytes: Buffer, start: number, names: readonly Named[], atMs: number): Promise<void> {
    const file = await this.#lastFile(start, names, atMs);
    const pieces = recordsOf(bytes, file.end, atMs);
    const before = file.size;
    let size = before;
    for (const piece of pieces) size += await writeAll(this.#handle as FileHandle, piece, size);
    file.size = size;
    const mark = file.marks.at(-1);
    if (mark === undefined || before - mark.position >= markEvery)
      file.marks.push({ offset: file.end, position: before });
    file.end += bytes.length;
  }

  /** What is there from an offset on, until its end: an empty piece means that what is on disk is not sound. */
  async *read(offset: number): AsyncGenerator<Buffer> {
    let at = offset;
    let file = this.#fileWith(at);
    while (file !== undefined) {
      const mark = file.marks.findLast((each) => each.offset <= at);
      if (mark === undefined) return;
      const reader = await RecordReader.open(file.path, mark.position);
      try {
        for (let from = mark.offset; at < file.end; ) {
          const record = await reader.next(file.size);
          if (record === undefined || record.offset !== from) return yield Buffer.alloc(0);
          const { bytes } = record;
          const passed = Math.max(0, at - from);
          from += bytes.length;
          if (passed >= bytes.length) continue;
          at = from;
          yield bytes.subarray(passed);
        }
      } finally {
        await reader.close();
      }
      file = this.#fileWith(at);
    }
  }

  /** Removes the files that end there or before. */
  async dropBefore(offset: number): Promise<void> {
    while (this.#files.length > 0 && this.#files[0]!.end <= offset) {
      if (this.#files.length === 1) await this.#close();
      await rm(this.#files.shift()!.path, { force: true });
    }
  }

  /** Removes what is behind there. */
  async cutAt(offset: number, atMs: number): Promise<void> {
    const kept: Buffer[] = [];
    const last = this.#files.findLast(({ start }) => start <= offset);
    if (last === undefined) return await this.clear();
    const mark = last.marks.findLast((each) => each.offset <= offset);
    const from = mark ?? { offset: last.start, position: last.size };
    let missing = offset - from.offset;
    for await (const piece of this.read(from.offset)) {
      if (missing === 0 || piece.length === 0) break;
      const taken = Buffer.from(piece.subarray(0, missing));
      kept.push(taken);
      missing -= taken.length;
      if (missing === 0) break;
    }
    await this.#close();
    for (const { path: file } of this.#files.splice(this.#files.indexOf(last) + 1))
      await rm(file, { force: true });
    last.size = from.position;
    last.end = from.offset;
    last.marks = last.marks.filter((each) => each.offset < from.offset);
    await this.append(Buffer.concat(kept), last.end, last.names, atMs);
  }

  async clear(): Promise<void> {
    await this.#close();
    this.#files.length = 0;
    for (const name of await namesIn(this.#folder)) await this.#forget(name);
  }

  async close(): Promise<void> {
    await this.#close();
  }

  #fileWith(offset: number): QueueFile | undefined {
    return this.#files.find(({ start, end }) => start <= offset && offset < end);
  }

  /** The one that is written to, a new one when that is full or the history has another name since. */
  async #lastFile(start: number, names: readonly Named[], atMs: number): Promise<QueueFile> {
    const last = this.#files.at(-1);
    const isSame = isDeepStrictEqual(last?.names, names);
    if (last !== undefined && isSame && last.size < this.#fileBytes) {
      if (this.#handle === undefined) {
        this.#handle = await open(last.path, 'r+');
        // What was torn there is not sound.
        await this.#handle.truncate(last.size);
      }
      return last;
    }
    await this.#close();
    const number = (last?.number ?? 0) + 1;
    const file = path.join(this.#folder, `${String(number).padStart(12, '0')}.queue`);
    await makeFolder(this.#folder, 0o700);
    const handle = await open(file, 'wx', 0o600);
    const begin = last?.end ?? start;
    let size = 0;
    try {
      for (const piece of headRecord({ start: begin, names }, atMs))
        size += await writeAll(handle, piece, size);
    } catch (error) {
      await handle.close();
      await rm(file, { force: true });
      throw error;
    }
    this.#handle = handle;
    const made = { path: file, number, start: begin, end: begin, size, names: [...names], marks: [] };
    this.#files.push(made);
    return made;
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #forget(name: string): Promise<void> {
    await rm(path.join(this.#folder, name), { force: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [] as string[])).filter((name) => nameShape.test(name));
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let written = 0;
  while (written < bytes.length)
    written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  return written;
}

/** Undefined when it is none, or says nothing. */
async function readFileOf(
  file: string,
  saw: (offset: number, atMs: number) => void,
): Promise<QueueFile | undefined> {
  const { size } = await stat(file);
  const reader = await RecordReader.open(file, 0);
  try {
    const first = await reader.next(size);
    const head = first && readHead(first);
    if (first === undefined || head === undefined) return undefined;
    const number = Number(nameShape.exec(path.basename(file))?.[1]);
    const found: QueueFile = {
      ...head,
      path: file,
      number,
      end: head.start,
      size: headBytes + first.bytes.length,
      marks: [],
    };
    for (
      let record = await reader.next(size);
      record?.offset === found.end;
      record = await reader.next(size)
    ) {
      const { position, bytes, atMs } = record;
      const mark = found.marks.at(-1);
      if (mark === undefined || position - mark.position >= markEvery)
        found.marks.push({ offset: found.end, position });
      found.end += bytes.length;
      found.size = position + headBytes + bytes.length;
      saw(found.end, atMs);
    }
    return found;
  } finally {
    await reader.close();
  }
}
