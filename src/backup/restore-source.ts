/** What is to be restored: a backup of the store, the latest, or an RDB that lies somewhere. */

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Spec } from '../spec/spec.ts';
import { describeAhead, newestOf } from './dates.ts';
import { BackupNotFound, RestoreSourceUnclear } from './errors.ts';
import { surveyStore } from './list.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { isBackupId, manifestName, parseName } from './naming.ts';
import { openBackup } from './open.ts';
import { openStore } from './open-store.ts';
import { type BackupKeys, unpacked } from './packing.ts';
import type { StoreOptions } from './s3-client.ts';
import type { BackupStore } from './store.ts';
import { boundedUnpacked } from './unpack-limit.ts';

export interface RestoreSource {
  /** For people. */
  name: string;
  /** What a person should know of the choice, a sentence each. */
  notes: readonly string[];
  /** Null for an RDB that is not a backup of holdfast's. */
  manifest: Manifest | null;
  /** Bytes of the RDB, when they are known before it is read. */
  bytes: number | undefined;
  /** Another one when it is not what it was any more. */
  stamp: string;
  /** All of its bytes; an error at the end when they were not what they should be. */
  open(signal: AbortSignal): AsyncIterable<Buffer>;
}

/** @throws BACKUP_NOT_FOUND, RESTORE_SOURCE_UNCLEAR and what the store throws. */
export async function findRestoreSource(
  wanted: string,
  spec: Spec,
  keys: BackupKeys,
  clock: Clock = systemClock,
): Promise<RestoreSource> {
  if (wanted === 'latest') return latest(spec, keys, clock.wallMs());
  if (isBackupId(wanted)) {
    const store = await ownStore(wanted, spec);
    return fromManifest(store, await readManifest(store, wanted), keys);
  }
  const s3 = spec.backup?.s3 ?? {};
  if (/^[a-z0-9]+:\/\//i.test(wanted)) return restoreSourceAt(wanted, s3, keys);
  return restoreSourceAt(pathToFileURL(path.resolve(wanted)).href, s3, keys);
}

async function latest(spec: Spec, keys: BackupKeys, nowMs: number): Promise<RestoreSource> {
  const store = await ownStore('latest', spec);
  // One that was taken before a restore has what was to be replaced: the same command, given again, must not bring
  // that back.
  const { backups, broken } = await surveyStore(store);
  const own = backups.filter(
    ({ deployment, reason }) => deployment === spec.name && reason !== 'before-restore',
  );
  const newest = theLatest(own, nowMs);
  if (newest === undefined) {
    throw BackupNotFound(`there is no backup of ${spec.name} in ${store.url}`, {
      hint: 'holdfast backup list --all shows those of other deployments; name one by its id.',
    });
  }
  const newer = broken.filter(({ id }) => id > newest.id);
  return fromManifest(
    store,
    newest,
    keys,
    newer.map(({ id, why }) => `${id} is newer and can't be used: ${why}`),
  );
}

/**
 * The newest; undefined when there is none. When one is dated ahead of now, a clock was wrong, and which is the newest
 * only a person can say. @throws RESTORE_SOURCE_UNCLEAR
 */
export function theLatest(own: readonly Manifest[], nowMs: number): Manifest | undefined {
  const { newest, ahead } = newestOf(own, nowMs);
  if (ahead.length === 0) return newest;
  const passed = newest === undefined ? '' : `; ${newest.id} is the newest of the others`;
  throw RestoreSourceUnclear(
    `which backup is the latest can't be said: ${ahead.map((each) => describeAhead(each, nowMs)).join(', ')}${passed}`,
    {
      hint: 'Name the one that is meant by its id (holdfast backup list), and look at the clocks of the hosts.',
    },
  );
}

async function ownStore(wanted: string, spec: Spec): Promise<BackupStore> {
  if (spec.backup) return openStore(spec.backup.to, spec.backup.s3);
  throw RestoreSourceUnclear(`'${wanted}' is a backup in a store, and the spec names no store (backup.to)`, {
    hint: 'Add backup.to to the spec, or name the RDB file, or its s3:// URL.',
  });
}

/** An object in a store or a file in a folder; with its manifest, when it has one there. @throws as `findRestoreSource` */
export async function restoreSourceAt(
  url: string,
  s3: StoreOptions,
  keys: BackupKeys,
): Promise<RestoreSource> {
  const slash = url.lastIndexOf('/');
  const folder = url.slice(0, slash) || url;
  const object = decodeURIComponent(url.slice(slash + 1));
  const store = await openStore(folder === 'file://' ? 'file:///' : folder, s3);
  const parsed = parseName(object);
  const objects = await store.list(parsed?.id ?? object);
  const found = objects.find(({ name }) => name === object);
  if (!found)
    throw BackupNotFound(`there is no ${url}`, { hint: 'Check the path; latest means the newest backup.' });
  if (found.unusable !== undefined) {
    throw RestoreSourceUnclear(`${url} is ${found.unusable}`, { hint: 'Name the file itself.' });
  }
  if (parsed && objects.some(({ name }) => name === manifestName(parsed.id))) {
    return fromManifest(store, await readManifest(store, parsed.id), keys);
  }
  const compression = object.endsWith('.gz') ? 'gzip' : object.endsWith('.zst') ? 'zstd' : 'none';
  return {
    name: object,
    notes: [],
    manifest: null,
    bytes: compression === 'none' ? found.bytes : undefined,
    stamp: `${found.bytes} ${found.modifiedMs}`,
    open: () => boundedUnpacked(unpacked(store.read(object), compression), found.bytes, compression, url),
  };
}

function fromManifest(
  store: BackupStore,
  manifest: Manifest,
  keys: BackupKeys,
  notes: readonly string[] = [],
): RestoreSource {
  return {
    name: manifest.id,
    notes,
    manifest,
    bytes: manifest.rdb.bytes,
    stamp: manifest.rdb.sha256,
    open: (signal) => openBackup(store, manifest, keys, signal),
  };
}
