import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { defineError, errorText } from '../base/errors.ts';
import { unzstd } from '../base/unzstd.ts';
import { looksLikeZstd } from '../base/zstd/frames.ts';
import { nameFile, type RdbSource } from '../rdb/merge-input.ts';
import { BadOption } from './errors.ts';
import { ReadAhead } from './rdb-read-ahead.ts';

const Unreadable = defineError('RDB_UNREADABLE', 1);
const BadCompression = defineError('RDB_BAD_COMPRESSION', 1);

const chunkBytes = 512 * 1024;
/** Files longer than this are worth a thread; it gets ready while half as much is read without it. */
const longBytes = 32 * 2 ** 20;

/** A file named on the command line; `-` is stdin. Gzip and zstd are seen by their first bytes and unpacked. */
export interface RdbInput extends RdbSource {
  /** Bytes on disk; undefined for stdin. */
  size: number | undefined;
  /** Bytes taken from the disk so far, for progress. */
  taken: number;
}

/** @throws RDB_UNREADABLE when there is no such file. */
export async function openInput(file: string): Promise<RdbInput> {
  const input: RdbInput = {
    name: file === '-' ? 'stdin' : file,
    size: file === '-' ? undefined : await sizeOf(file),
    taken: 0,
    open: () => unpacked(input, file),
  };
  return input;
}

/** Waits for what is done with a file; what is wrong with its bytes is told with its name. */
export async function naming<T>(input: RdbInput, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw nameFile(error, input.name);
  }
}

/**
 * Opens files for verbs that read them more than once: stdin is first put in a temporary file. `dispose` removes it.
 */
export async function openInputs(
  files: string[],
): Promise<{ inputs: RdbInput[]; dispose: () => Promise<void> }> {
  if (files.filter((file) => file === '-').length > 1)
    throw BadOption('stdin (-) is named twice, and can be read once', {
      hint: 'Name a file for one of them.',
    });
  const temporary: string[] = [];
  const dispose = async () => {
    for (const file of temporary) await rm(file, { force: true });
  };
  const inputs: RdbInput[] = [];
  try {
    for (const file of files) {
      if (file !== '-') {
        inputs.push(await openInput(file));
        continue;
      }
      const copy = path.join(os.tmpdir(), `holdfast-stdin-${randomBytes(6).toString('hex')}.rdb`);
      temporary.push(copy);
      await pipeline(process.stdin, createWriteStream(copy, { mode: 0o600 }));
      inputs.push(Object.assign(await openInput(copy), { name: 'stdin' }));
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return { inputs, dispose };
}

async function sizeOf(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (found.isDirectory())
      throw Unreadable(`${file} is a folder`, { hint: 'Name an RDB file, or - for stdin.' });
    return found.size;
  } catch (error) {
    if (error instanceof Error && error.name === 'HoldfastError') throw error;
    throw unreadable(file, error);
  }
}

async function* unpacked(input: RdbInput, file: string): AsyncGenerator<Buffer> {
  const chunks = file === '-' ? stdinChunks() : fileChunks(file);
  try {
    yield* unpackedChunks(input, chunks);
  } finally {
    // Whoever has seen enough leaves early: the file must be closed all the same.
    await chunks.return(undefined);
  }
}

async function* unpackedChunks(input: RdbInput, chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const first = await chunks.next();
  if (first.done) return;
  input.taken = first.value.length;
  const kind = compressionOf(first.value);
  if (kind === undefined) {
    yield first.value;
    for await (const chunk of chunks) {
      input.taken += chunk.length;
      yield chunk;
    }
    return;
  }
  const packed = counted(input, first.value, chunks);
  try {
    yield* kind === 'gzip' ? gunzipped(packed) : unzstd(packed);
  } catch (error) {
    if (error instanceof Error && error.name === 'HoldfastError') throw error;
    throw BadCompression(`${input.name} is broken ${kind}: ${errorText(error)}`, {
      hint: 'The RDB inside may be whole; the compressed copy of it is not. Take the file again.',
      cause: error,
    });
  }
}

function compressionOf(bytes: Buffer): 'gzip' | 'zstd' | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  return looksLikeZstd(bytes) ? 'zstd' : undefined;
}

/** What a decompressor may keep for a while: copies, since the buffers of a file are used again. */
async function* counted(input: RdbInput, first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from(first);
  for await (const chunk of rest) {
    input.taken += chunk.length;
    yield Buffer.from(chunk);
  }
}

async function* gunzipped(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  const feeding = pipeline(Readable.from(packed), gunzip).catch(() => {});
  for await (const chunk of gunzip) yield chunk as Buffer;
  await feeding;
}

async function* stdinChunks(): AsyncGenerator<Buffer> {
  for await (const chunk of process.stdin) yield chunk as Buffer;
}

/**
 * The next piece is being read while the one before is worked on; three buffers take turns. A long file, once more
 * than its start is wanted, is read on by a thread.
 */
async function* fileChunks(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r').catch((error: unknown) => Promise.reject(unreadable(file, error)));
  const buffers = [0, 1, 2].map(() => Buffer.allocUnsafeSlow(chunkBytes));
  let reading: Promise<{ bytesRead: number }> | undefined;
  let ahead: ReadAhead | undefined;
  try {
    const isLong = (await handle.stat()).size > longBytes && os.availableParallelism() > 1;
    const hereBytes = isLong ? longBytes / 2 : Infinity;
    let at = 0;
    let turn = 0;
    const readNext = () => handle.read(buffers[turn]!, 0, Math.min(chunkBytes, hereBytes - at), null);
    reading = readNext();
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) break;
      const current = buffers[turn]!.subarray(0, bytesRead);
      at += bytesRead;
      turn = (turn + 1) % buffers.length;
      reading = readNext();
      yield current;
      if (isLong) ahead ??= new ReadAhead(handle.fd, hereBytes);
    }
    if (ahead !== undefined) yield* ahead.pieces();
  } catch (error) {
    throw error instanceof Error && error.name === 'HoldfastError' ? error : unreadable(file, error);
  } finally {
    await reading?.catch(() => {});
    await ahead?.stop();
    await handle.close();
  }
}

function unreadable(file: string, error: unknown): Error {
  return Unreadable(`cannot read ${file}: ${errorText(error)}`, { cause: error });
}
