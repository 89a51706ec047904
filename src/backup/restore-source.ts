/** What is to be restored: a backup of the store, the latest, or an RDB that lies somewhere. */

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Spec } from '../spec/spec.ts';
import { BackupNotFound, RestoreSourceUnclear } from './errors.ts';
import { listBackups } from './list.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { isBackupId, manifestName, parseName } from './naming.ts';
import { openBackup } from './open.ts';
import { openStore } from './open-store.ts';
import { type BackupKeys, unpacked } from './packing.ts';
import type { BackupStore } from './store.ts';
import { boundedUnpacked } from './unpack-limit.ts';

export interface RestoreSource {
  /** For people. */
  name: string;
  /** Null for an RDB that is not a backup of holdfast's. */
  manifest: Manifest | null;
  /** Bytes of the RDB, when they are known before it is read. */
  bytes: number | undefined;
  /** All of its bytes; an error at the end when they were not what they should be. */
  open(signal: AbortSignal): AsyncIterable<Buffer>;
}

/** @throws BACKUP_NOT_FOUND, RESTORE_SOURCE_UNCLEAR and what the store throws. */
export async function findRestoreSource(
  wanted: string,
  spec: Spec,
  keys: BackupKeys,
): Promise<RestoreSource> {
  if (wanted === 'latest') return latest(spec, keys);
  if (isBackupId(wanted)) {
    const store = await ownStore(wanted, spec);
    return fromManifest(store, await readManifest(store, wanted), keys);
  }
  if (/^[a-z0-9]+:\/\//i.test(wanted)) return fromUrl(wanted, spec, keys);
  return fromUrl(pathToFileURL(path.resolve(wanted)).href, spec, keys);
}

async function latest(spec: Spec, keys: BackupKeys): Promise<RestoreSource> {
  const store = await ownStore('latest', spec);
  // One that was taken before a restore has what was to be replaced: the same command, given again, must not bring
  // that back.
  const newest = (await listBackups(store)).findLast(
    ({ deployment, reason }) => deployment === spec.name && reason !== 'before-restore',
  );
  if (newest) return fromManifest(store, newest, keys);
  throw BackupNotFound(`there is no backup of ${spec.name} in ${store.url}`, {
    hint: 'holdfast backup list --all shows those of other deployments; name one by its id.',
  });
}

async function ownStore(wanted: string, spec: Spec): Promise<BackupStore> {
  if (spec.backup) return openStore(spec.backup.to, spec.backup.s3);
  throw RestoreSourceUnclear(`'${wanted}' is a backup in a store, and the spec names no store (backup.to)`, {
    hint: 'Add backup.to to the spec, or name the RDB file, or its s3:// URL.',
  });
}

/** An object in a store or a file in a folder; with its manifest, when it has one there. */
async function fromUrl(url: string, spec: Spec, keys: BackupKeys): Promise<RestoreSource> {
  const slash = url.lastIndexOf('/');
  const folder = url.slice(0, slash) || url;
  const object = decodeURIComponent(url.slice(slash + 1));
  const store = await openStore(folder === 'file://' ? 'file:///' : folder, spec.backup?.s3 ?? {});
  const parsed = parseName(object);
  const objects = await store.list(parsed?.id ?? object);
  const found = objects.find(({ name }) => name === object);
  if (!found)
    throw BackupNotFound(`there is no ${url}`, { hint: 'Check the path; latest means the newest backup.' });
  if (parsed && objects.some(({ name }) => name === manifestName(parsed.id))) {
    return fromManifest(store, await readManifest(store, parsed.id), keys);
  }
  const compression = object.endsWith('.gz') ? 'gzip' : object.endsWith('.zst') ? 'zstd' : 'none';
  return {
    name: object,
    manifest: null,
    bytes: compression === 'none' ? found.bytes : undefined,
    open: () => boundedUnpacked(unpacked(store.read(object), compression), found.bytes, compression, url),
  };
}

function fromManifest(store: BackupStore, manifest: Manifest, keys: BackupKeys): RestoreSource {
  return {
    name: manifest.id,
    manifest,
    bytes: manifest.rdb.bytes,
    open: (signal) => openBackup(store, manifest, keys, signal),
  };
}
