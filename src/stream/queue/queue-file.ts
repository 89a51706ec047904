/**
 * One file of a queue: records of a length, a checksum, the time, the offset and bytes of a primary's stream. The first
 * says where the others begin, and in which history.
 *
 * Nothing is synced: what a crash of the machine tears off ends where a checksum does not hold, and is read again from the
 * primary.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** A history's name, and the offset from which it has had that. */
export interface Named {
  replId: string;
  from: number;
}

export interface FileHead {
  /** Offset of what comes first. */
  start: number;
  /** Oldest first; what is there has all these names, each of them up to where the next begins. */
  names: readonly Named[];
}

export interface QueueRecord {
  /** Where it stands in the file. */
  position: number;
  /** Wall-clock ms at which it was written. */
  atMs: number;
  /** Of its first byte, in the stream. */
  offset: number;
  /** Valid until the next is asked for. */
  bytes: Buffer;
}

/** Of a record. */
export const headBytes = 24;
const longestRecord = 256 * 1024;
const readBytes = 2 * (headBytes + longestRecord);
const version = 2;

/** As it stands in the file. @param bytes no more than 256 KiB */
function record(bytes: Uint8Array, offset: number, atMs: number): Uint8Array[] {
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32LE(bytes.length, 0);
  head.writeDoubleLE(atMs, 8);
  head.writeDoubleLE(offset, 16);
  head.writeUInt32LE(crc32(bytes, crc32(head.subarray(8))), 4);
  return [head, bytes];
}

/** Any amount of bytes as records. @param offset where they begin in the stream */
export function recordsOf(bytes: Buffer, offset: number, atMs: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += longestRecord)
    pieces.push(...record(bytes.subarray(at, at + longestRecord), offset + at, atMs));
  return pieces;
}

export function headRecord(head: FileHead, atMs: number): Uint8Array[] {
  return record(Buffer.from(JSON.stringify({ version, ...head })), head.start, atMs);
}

/** Undefined for what is no such record. */
export function readHead({ bytes }: QueueRecord): FileHead | undefined {
  try {
    const { version: found, start, names } = JSON.parse(bytes.toString()) as FileHead & { version: unknown };
    const isHead =
      found === version && Number.isSafeInteger(start) && Array.isArray(names) && names.length > 0;
    return isHead ? { start, names } : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the records of a file one by one, no more of it than the file was known to have. */
export class RecordReader {
  readonly #handle: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(readBytes);
  #start = 0;
  #end = 0;
  /** Where in the file `#end` is. */
  #position: number;

  private constructor(handle: FileHandle, position: number) {
    this.#handle = handle;
    this.#position = position;
  }

  static async open(file: string, position: number): Promise<RecordReader> {
    return new RecordReader(await open(file, 'r'), position);
  }

  /** Undefined where no whole and sound record is. @param until bytes of the file that may be read */
  async next(until: number): Promise<QueueRecord | undefined> {
    if (!(await this.#has(headBytes, until))) return undefined;
    const length = this.#buffer.readUInt32LE(this.#start);
    if (length > longestRecord || !(await this.#has(headBytes + length, until))) return undefined;
    const at = this.#start;
    const bytes = this.#buffer.subarray(at + headBytes, at + headBytes + length);
    const sum = crc32(bytes, crc32(this.#buffer.subarray(at + 8, at + headBytes)));
    if (sum !== this.#buffer.readUInt32LE(at + 4)) return undefined;
    const position = this.#position - (this.#end - at);
    this.#start += headBytes + length;
    return {
      position,
      atMs: this.#buffer.readDoubleLE(at + 8),
      offset: this.#buffer.readDoubleLE(at + 16),
      bytes,
    };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #has(bytes: number, until: number): Promise<boolean> {
    while (this.#end - this.#start < bytes) {
      if (this.#start + bytes > this.#buffer.length) {
        this.#buffer.copy(this.#buffer, 0, this.#start, this.#end);
        this.#end -= this.#start;
        this.#start = 0;
      }
      const wanted = Math.min(this.#buffer.length - this.#end, until - this.#position);
      if (wanted <= 0) return false;
      const { bytesRead } = await this.#handle.read(this.#buffer, this.#end, wanted, this.#position);
      if (bytesRead === 0) return false;
      this.#end += bytesRead;
      this.#position += bytesRead;
    }
    return true;
  }
}
