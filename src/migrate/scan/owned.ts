/**
 * Which part of a target is a source's alone, by scan: what is in it and not at the source was deleted there, and is deleted.
 * Elsewhere nobody can tell whose a key is.
 */
import { commonPrefixes } from '../../base/key-prefixes.ts';
import type { ConnectionOptions } from '../../redis/connection.ts';
import { KeyMapping } from '../key-mapping.ts';
import { KeyReader } from '../key-reader.ts';

export interface Part {
  /** Stands before each of its keys at the target. */
  prefix: string;
  /** From, to. */
  dbs: readonly (readonly [number, number])[];
  /** In which databases of the source there are keys. */
  sourceDbs: readonly number[];
}

/**
 * For each part whether another one may write there too, or a file: in which databases that has keys is known only when it is read.
 * Pure.
 *
 * @param filePrefixes what stands before the keys of each file
 */
export function sharedParts(parts: readonly Part[], filePrefixes: readonly string[]): boolean[] {
  const dbsOf = ({ dbs, sourceDbs }: Part) => {
    const moves = new Map(dbs);
    return sourceDbs.map((db) => moves.get(db) ?? db);
  };
  const areCommon = (one: string, other: string) => commonPrefixes([one], [other]) !== undefined;
  return parts.map((part) => {
    if (filePrefixes.some((prefix) => areCommon(part.prefix, prefix))) return true;
    return parts.some((other) => {
      if (other === part || !areCommon(part.prefix, other.prefix)) return false;
      const theirs = dbsOf(other);
      return dbsOf(part).some((db) => theirs.includes(db));
    });
  });
}

/**
 * Databases of the target that are each part's alone; null for all of them, none where somebody else has keys there.
 * @throws MIGRATE_REFUSED, REDIS_UNREACHABLE
 */
export async function ownedParts(
  target: ConnectionOptions,
  parts: readonly Part[],
  filePrefixes: readonly string[],
): Promise<(number[] | null)[]> {
  const shared = sharedParts(parts, filePrefixes);
  const owned: (number[] | null)[] = [];
  for (const [index, part] of parts.entries()) {
    if (shared[index] || (await hasKeys(target, part))) owned.push([]);
    else if (parts.length === 1) owned.push(null);
    else {
      const moves = new Map(part.dbs);
      owned.push(part.sourceDbs.map((db) => moves.get(db) ?? db));
    }
  }
  return owned;
}

async function hasKeys(options: ConnectionOptions, { prefix }: Part): Promise<boolean> {
  const target = new KeyReader(options);
  const mapping = new KeyMapping({ prefix: Buffer.from(prefix), patterns: [], dbs: new Map() });
  try {
    for (const { db } of (await target.facts()).databases) {
      await target.select(db);
      for await (const page of target.pages(1000)) if (mapping.sourceKeys(page).length > 0) return true;
    }
    return false;
  } finally {
    target.close();
  }
}
