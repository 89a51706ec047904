/**
 * The keys that a full copy has put into a target that holds others, too: what may be removed when the copy broke and is
 * begun anew. Records: db (4 bytes), length of the key (4 bytes, the highest bit for one that is taken back), the key. A
 * record that is not whole was never acted upon.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { errorCode } from '../base/errors.ts';
import type { DbKey } from '../stream/copy-batch.ts';
import type { CopiedKeys } from '../stream/full-copy.ts';

const headBytes = 8;
const takenBackBit = 2 ** 31;
const readBytes = 256 * 1024;
const keysAtATime = 1000;

export class KeyList implements CopiedKeys {
  readonly #file: string;
  #handle: FileHandle | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  async add(keys: readonly DbKey[]): Promise<void> {
    await this.#append(keys, 0);
  }

  async takeBack(keys: readonly DbKey[]): Promise<void> {
    await this.#append(keys, takenBackBit);
  }

  async *read(): AsyncGenerator<{ db: number; keys: Buffer[] }> {
    const taken = new Set<string>();
    for await (const { db, key, isTakenBack } of this.#records())
      if (isTakenBack) taken.add(`${db} ${key.toString('latin1')}`);
    let batch: { db: number; keys: Buffer[] } = { db: 0, keys: [] };
    for await (const { db, key, isTakenBack } of this.#records()) {
      if (isTakenBack || taken.has(`${db} ${key.toString('latin1')}`)) continue;
      if (db !== batch.db || batch.keys.length >= keysAtATime) {
        if (batch.keys.length > 0) yield batch;
        batch = { db, keys: [] };
      }
      batch.keys.push(key);
    }
    if (batch.keys.length > 0) yield batch;
  }

  async forget(): Promise<void> {
    await this.close();
    await rm(this.#file, { force: true });
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #append(keys: readonly DbKey[], bit: number): Promise<void> {
    if (keys.length === 0) return;
    const pieces: Buffer[] = [];
    for (const { db, key } of keys) {
      const head = Buffer.allocUnsafe(headBytes);
      head.writeUInt32LE(db, 0);
      head.writeUInt32LE(key.length + bit, 4);
      pieces.push(head, key);
    }
    this.#handle ??= await open(this.#file, 'a', 0o600);
    await this.#handle.appendFile(Buffer.concat(pieces));
    await this.#handle.datasync();
  }

  async *#records(): AsyncGenerator<DbKey & { isTakenBack: boolean }> {
    let rest: Buffer = Buffer.alloc(0);
    for await (const piece of pieces(this.#file)) {
      rest = Buffer.concat([rest, piece]);
      let at = 0;
      while (at + headBytes <= rest.length) {
        const word = rest.readUInt32LE(at + 4);
        const isTakenBack = word >= takenBackBit;
        const end = at + headBytes + (isTakenBack ? word - takenBackBit : word);
        if (end > rest.length) break;
        yield {
          db: rest.readUInt32LE(at),
          key: Buffer.from(rest.subarray(at + headBytes, end)),
          isTakenBack,
        };
        at = end;
      }
      rest = rest.subarray(at);
    }
  }
}

async function* pieces(file: string): AsyncGenerator<Buffer> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(readBytes), 0, readBytes);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
