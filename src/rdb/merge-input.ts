import type { KeyHash } from './key-hash.ts';
import type { ScanState } from './scan-state.ts';

/** A file to read, as often as needed. */
export interface RdbSource {
  name: string;
  open(): AsyncIterable<Buffer>;
}

export interface MergeInput extends RdbSource {
  /** Put before every key of this file. */
  prefix?: Buffer;
  /** Where the keys of a database go, when not to the same. */
  dbs?: ReadonlyMap<number, number>;
}

/**
 * Of two keys of one name: neither, which ends it; the one that came first, or last; or the one that expires later, of which one
 * that never does is the latest, and of two that expire together the first.
 */
export const conflictRules = ['fail', 'first', 'last', 'newest-expiry'] as const;
export type OnConflict = (typeof conflictRules)[number];

/** The hash of the key as it will be in the result. */
export function hashKey(hash: KeyHash, scanner: ScanState, db: number, prefix: Buffer): void {
  const { keyBuf, keyStart, keyEnd } = scanner;
  if (prefix.length === 0) {
    hash.update(db, keyBuf, keyStart, keyEnd);
    return;
  }
  const key = Buffer.concat([prefix, keyBuf.subarray(keyStart, keyEnd)]);
  hash.update(db, key, 0, key.length);
}

/** Says in the error which of several files it is about. */
export function nameFile(error: unknown, name: string): unknown {
  if (error instanceof Error && 'problem' in error && !error.message.startsWith(name)) {
    error.message = `${name}: ${error.message}`;
  }
  return error;
}
