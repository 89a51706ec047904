/** Which keys of a source are copied, and what they are called at the target. Pure. */
import type { KeyPattern } from '../base/key-pattern.ts';
import { matchedBy } from '../base/key-pattern.ts';
import { isUnder } from '../base/key-prefixes.ts';

export interface KeyMappingOptions {
  /** Stands before each key at the target. */
  prefix: Buffer;
  /** One of them must match; all keys when there are none. */
  patterns: readonly KeyPattern[];
  /** Databases that become others; the rest keep their numbers. */
  dbs: ReadonlyMap<number, number>;
}

export class KeyMapping {
  readonly #prefix: Buffer;
  readonly #dbs: ReadonlyMap<number, number>;
  readonly isCarried: (key: Buffer) => boolean;

  constructor({ prefix, patterns, dbs }: KeyMappingOptions) {
    this.#prefix = prefix;
    this.#dbs = dbs;
    this.isCarried = matchedBy(patterns);
  }

  targetDb(db: number): number {
    return this.#dbs.get(db) ?? db;
  }

  /** Databases of the source that become this one. */
  sourceDbs(targetDb: number): number[] {
    return [targetDb, ...this.#dbs.keys()].filter(
      (db, index, all) => this.targetDb(db) === targetDb && all.indexOf(db) === index,
    );
  }

  targetKeys(keys: readonly Buffer[]): readonly Buffer[] {
    if (this.#prefix.length === 0) return keys;
    return keys.map((key) => Buffer.concat([this.#prefix, key]));
  }

  /** Those of the target's keys that may be ours, as the source calls them. */
  sourceKeys(keys: readonly Buffer[]): Buffer[] {
    const length = this.#prefix.length;
    return keys
      .filter((key) => isUnder(key, this.#prefix))
      .map((key) => key.subarray(length))
      .filter(this.isCarried);
  }
}

/** Everything as it is. */
export const everyKey = new KeyMapping({ prefix: Buffer.alloc(0), patterns: [], dbs: new Map() });
