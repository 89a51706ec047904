import { z } from 'zod';
import { errorText } from '../base/errors.ts';
import { shown } from '../base/shown.ts';
import { BackupNotFound, ManifestUnreadable } from './errors.ts';
import { backupId, isBackupId, manifestName, objectName } from './naming.ts';
import type { BackupStore } from './store.ts';
import { unpacksTooFar } from './unpack-limit.ts';

const count = z.int().min(0);
/** Redis can be told to have more; a server that is to load a backup makes as many as its highest key needs. */
const databaseNumber = z.int().min(0).max(65_535);
const time = z.iso.datetime();
const bytesAndSum = z.object({ bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/**
 * What is written beside each backup, last of all: a backup is there when its manifest is. The object is
 * `redis_2022-01-27T200000Z.rdb` (with `.zst` or `.gz` when compressed, and `.age` when encrypted), the manifest has
 * the backup's id and `.json`. Keys that a later version adds are let through.
 */
const manifestSchema = z.object({
  /** Of this format; 1. */
  version: z.literal(1),
  /** `redis_2022-01-27T200000Z`: the manifest's own name says the same. */
  id: z.string(),
  deployment: z.string(),
  /** The object that holds the data: what `objectName` makes of the id and how it is packed. */
  object: z.string(),
  /** Start and end, ISO 8601, UTC. */
  startedAt: time,
  finishedAt: time,
  durationMs: z.number().min(0),
  /** The member it was taken from, and what that was then. */
  source: z.object({
    member: z.string(),
    address: z.string(),
    port: z.int(),
    role: z.enum(['primary', 'replica']),
  }),
  /** `redis 7.0.15` or `valkey 8.0.1`, and holdfast's own version. */
  serverVersion: z.string(),
  holdfastVersion: z.string(),
  rdbVersion: z.int(),
  /** Where in the replication stream the snapshot stands. */
  replicationId: z.string(),
  replicationOffset: z.int(),
  keys: count,
  databases: z.array(z.object({ db: databaseNumber, keys: count, expiring: count })).max(65_536),
  functions: count,
  /** A digest of all keys, values and expiries that does not depend on their order in the file: rdb/data-digest.ts. */
  dataDigest: z.string(),
  /** Bytes and SHA-256 (hex) of the RDB, and of the object as it is stored. */
  rdb: bytesAndSum,
  stored: bytesAndSum,
  compression: z.enum(['none', 'gzip', 'zstd']),
  encryption: z.enum(['none', 'age']),
  /** Why it was taken. */
  reason: z.enum(['manual', 'schedule', 'before-restore']),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** No manifest is near this long; what is longer is something else. */
const maxBytes = 2 ** 20;

/** @throws BACKUP_NOT_FOUND, BACKUP_MANIFEST_UNREADABLE and what the store throws. */
export async function readManifest(store: BackupStore, id: string): Promise<Manifest> {
  const name = manifestName(id);
  const text = isBackupId(id) ? await readSmall(store, name) : undefined;
  if (text === undefined) {
    throw BackupNotFound(`${store.url} has no backup ${id}`, {
      hint: 'holdfast backup list shows what is there.',
    });
  }
  return parseManifest(text, id, `${name} in ${store.url}`);
}

/**
 * A manifest comes from the store, where others may write: it is believed only as far as its own name goes. It can't
 * speak of another backup, nor name an object that is not that backup's.
 * @param id what the manifest's name says. @param where for the message. @throws BACKUP_MANIFEST_UNREADABLE
 */
export function parseManifest(text: string, id: string, where: string): Manifest {
  const hint =
    'A newer holdfast may have written it; else the object beside it can be checked with holdfast rdb verify.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw ManifestUnreadable(`${where} is not JSON: ${errorText(error)}`, { hint, cause: error });
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) {
    const strange = whatIsStrange(parsed.data, id);
    if (strange === undefined) return parsed.data;
    throw ManifestUnreadable(`${where}: ${strange}`, { hint });
  }
  const [issue] = parsed.error.issues;
  throw ManifestUnreadable(`${where}: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}`, {
    hint,
    cause: parsed.error,
  });
}

function whatIsStrange(manifest: Manifest, id: string): string | undefined {
  if (manifest.id !== id) return `it says that it is of the backup ${shown(manifest.id)}`;
  const object = objectName(id, manifest);
  if (manifest.object !== object) return `its object is ${shown(manifest.object)}, and must be ${object}`;
  const started = backupId(Date.parse(manifest.startedAt));
  if (started !== id)
    return `it says that it was started at ${manifest.startedAt}, and its id says otherwise`;
  const twice = firstTwice(manifest.databases.map(({ db }) => db));
  if (twice !== undefined) return `it lists database ${twice} twice`;
  return unpacksTooFar(manifest.stored.bytes, manifest.rdb.bytes);
}

function firstTwice(numbers: readonly number[]): number | undefined {
  const seen = new Set<number>();
  return numbers.find((each) => seen.size === seen.add(each).size);
}

/** Puts it in the store; the backup is there from then on. */
export async function writeManifest(store: BackupStore, manifest: Manifest): Promise<void> {
  await store.put(manifestName(manifest.id), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
}

/** A small object as text, or undefined when there is none. */
export async function readSmall(store: BackupStore, name: string): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of store.read(name)) {
      pieces.push(Buffer.from(piece));
      bytes += piece.length;
      if (bytes > maxBytes) break;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'BACKUP_NOT_FOUND') return undefined;
    throw error;
  }
  return Buffer.concat(pieces).toString();
}
