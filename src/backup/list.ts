import { errorText } from '../base/errors.ts';
import { type Manifest, parseManifest, readSmall } from './manifest.ts';
import { manifestName, parseName } from './naming.ts';
import type { BackupStore, StoredObject } from './store.ts';

/** All that lies in a store. Objects that others have put there are left out. */
export interface Survey {
  /** Oldest first. The data of each is there, with as many bytes as it should have. */
  backups: Manifest[];
  /** Backups that cannot be used, and why, oldest first. */
  broken: { id: string; why: string }[];
  /** Data without a manifest: of a backup that was not finished, or is being taken now. */
  leftovers: StoredObject[];
}

/** How many manifests are read at a time. */
const atOnce = 8;

/** The backups in the store, oldest first: those whose manifest is there, and whose data is whole by its size. */
export async function listBackups(store: BackupStore): Promise<Manifest[]> {
  return (await surveyStore(store)).backups;
}

export async function surveyStore(store: BackupStore): Promise<Survey> {
  const objects = (await store.list('redis_')).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const sizes = new Map(objects.map(({ name, bytes }) => [name, bytes]));
  const named = objects.flatMap((object) => {
    const name = parseName(object.name);
    return name === undefined ? [] : [{ ...name, object }];
  });
  const ids = named.filter(({ is }) => is === 'manifest').map(({ id }) => id);
  const survey: Survey = { backups: [], broken: [], leftovers: [] };
  for (let at = 0; at < ids.length; at += atOnce) {
    const found = await Promise.all(ids.slice(at, at + atOnce).map((id) => lookAt(store, id, sizes)));
    for (const each of found) {
      if (each === undefined) continue;
      if ('why' in each) survey.broken.push(each);
      else survey.backups.push(each);
    }
  }
  survey.backups.sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  survey.leftovers = named
    .filter(({ is, id }) => is === 'data' && !sizes.has(manifestName(id)))
    .map(({ object }) => object);
  return survey;
}

async function lookAt(
  store: BackupStore,
  id: string,
  sizes: ReadonlyMap<string, number>,
): Promise<Manifest | { id: string; why: string } | undefined> {
  const text = await readSmall(store, manifestName(id));
  // It was pruned while we looked.
  if (text === undefined) return undefined;
  let manifest: Manifest;
  try {
    manifest = parseManifest(text, id, manifestName(id));
  } catch (error) {
    return { id, why: errorText(error) };
  }
  const bytes = sizes.get(manifest.object);
  if (bytes === undefined) return { id, why: `its data, ${manifest.object}, is not there` };
  if (bytes !== manifest.stored.bytes) {
    return { id, why: `${manifest.object} has ${bytes} bytes, and should have ${manifest.stored.bytes}` };
  }
  return manifest;
}
