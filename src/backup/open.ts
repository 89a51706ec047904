import { createHash } from 'node:crypto';
import { errorText, HoldfastError } from '../base/errors.ts';
import { BackupDamaged } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { type BackupKeys, decrypted, unpacked } from './packing.ts';
import type { BackupStore } from './store.ts';

/**
 * The bytes of a backup's RDB: decrypted, decompressed, and compared with its manifest on the way. **Only when it ends
 * without an error was all of it right**: whoever uses the bytes before must be able to take that back. A piece is
 * valid until the one after the next is asked for.
 * @throws BACKUP_DAMAGED, BACKUP_KEY_NEEDED and what the store throws.
 */
export async function* openBackup(
  store: BackupStore,
  manifest: Manifest,
  keys: BackupKeys = {},
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const stored = new Sum();
  const plain = new Sum();
  const asStored = summed(store.read(manifest.object), stored, signal);
  try {
    const open = manifest.encryption === 'age' ? await decrypted(asStored, manifest, keys) : asStored;
    for await (const piece of unpacked(open, manifest.compression)) {
      plain.add(piece);
      if (plain.bytes > manifest.rdb.bytes) {
        throw damaged(
          store,
          manifest,
          `the RDB inside is longer than the ${manifest.rdb.bytes} bytes that it had`,
        );
      }
      yield piece;
    }
    // What decompressors leave unread counts as well.
    for await (const _ of asStored);
  } catch (error) {
    if (error instanceof HoldfastError || signal?.aborted) throw error;
    throw damaged(store, manifest, errorText(error), error);
  } finally {
    await asStored.return(undefined);
  }
  stored.check(store, manifest, 'stored');
  plain.check(store, manifest, 'rdb');
}

class Sum {
  bytes = 0;
  readonly #hash = createHash('sha256');

  add(piece: Buffer): void {
    this.bytes += piece.length;
    this.#hash.update(piece);
  }

  check(store: BackupStore, manifest: Manifest, which: 'stored' | 'rdb'): void {
    const wanted = manifest[which];
    const what = which === 'stored' ? 'the object' : 'the RDB inside';
    if (this.bytes !== wanted.bytes) {
      throw damaged(
        store,
        manifest,
        `${what} has ${this.bytes} bytes, and had ${wanted.bytes} when it was taken`,
      );
    }
    if (this.#hash.digest('hex') !== wanted.sha256) {
      throw damaged(store, manifest, `${what} has not the SHA-256 that it had when it was taken`);
    }
  }
}

async function* summed(
  pieces: AsyncIterable<Buffer>,
  sum: Sum,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    sum.add(piece);
    yield piece;
  }
}

function damaged(store: BackupStore, { object }: Manifest, why: string, cause?: unknown): Error {
  return BackupDamaged(`${object} in ${store.url} is damaged: ${why}`, {
    hint: 'Use another backup: holdfast backup list shows them. Something changed or lost bytes in the store.',
    cause,
  });
}
