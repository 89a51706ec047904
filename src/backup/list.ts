import { errorText } from '../base/errors.ts';
import { startedMs } from './dates.ts';
import { type Manifest, parseManifest, readSmall } from './manifest.ts';
import { manifestName, parseName } from './naming.ts';
import type { BackupStore, StoredObject } from './store.ts';

/**
 * All that lies in a store. Objects that others have put there are left out; what bears the name of a backup never is:
 * it is whole, or broken with a reason, or data whose manifest is certainly not there.
 */
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
  const byName = new Map(objects.map((object) => [object.name, object]));
  const named = objects.flatMap((object) => {
    const name = parseName(object.name);
    return name === undefined ? [] : [{ ...name, object }];
  });
  const ids = named.filter(({ is }) => is === 'manifest').map(({ id }) => id);
  const survey: Survey = { backups: [], broken: [], leftovers: [] };
  const look = lookerInto(store, byName);
  for (let at = 0; at < ids.length; at += atOnce) {
    const found = await Promise.all(ids.slice(at, at + atOnce).map(look));
    for (const each of found) {
      if (each === undefined) continue;
      if ('why' in each) survey.broken.push(each);
      else survey.backups.push(each);
    }
  }
  survey.backups.sort((a, b) => startedMs(a) - startedMs(b));
  for (const { is, id, object } of named) {
    if (is !== 'data' || byName.has(manifestName(id))) continue;
    // Nothing of ours is so: it is not for us to remove.
    if (object.unusable !== undefined) survey.broken.push({ id, why: whatItIs(object) });
    else survey.leftovers.push(object);
  }
  survey.broken.sort((a, b) => (a.id < b.id ? -1 : 1));
  return survey;
}

type Found = Manifest | { id: string; why: string } | undefined;

/** Looks at one backup after another. The store is asked again, once, when it doesn't give one of its manifests. */
function lookerInto(
  store: BackupStore,
  byName: ReadonlyMap<string, StoredObject>,
): (id: string) => Promise<Found> {
  let asked: Promise<unknown> | undefined;
  return async (id) => {
    const name = manifestName(id);
    const object = byName.get(name);
    if (object?.unusable !== undefined) return { id, why: `its manifest, ${whatItIs(object)}` };
    let text: string | undefined;
    try {
      text = await readSmall(store, name);
    } catch (error) {
      // A store that still answers has something against this one; else nothing can be said of any.
      asked ??= store.list('redis_');
      await asked;
      return { id, why: errorText(error) };
    }
    // It was pruned while we looked.
    if (text === undefined) return undefined;
    try {
      const manifest = parseManifest(text, id, name);
      const why = whatIsWrong(manifest, byName.get(manifest.object));
      return why === undefined ? manifest : { id, why };
    } catch (error) {
      return { id, why: errorText(error) };
    }
  };
}

function whatIsWrong({ object, stored }: Manifest, found: StoredObject | undefined): string | undefined {
  if (found === undefined) return `its data, ${object}, is not there`;
  if (found.unusable !== undefined) return `its data, ${whatItIs(found)}`;
  if (found.bytes === stored.bytes) return undefined;
  return `${object} has ${found.bytes} bytes, and should have ${stored.bytes}`;
}

function whatItIs({ name, unusable }: StoredObject): string {
  return `${name}, is ${unusable}`;
}
