/** What a verification found, kept beside the backup as `ID.verified.json`. */
import { z } from 'zod';
import { errorText } from '../base/errors.ts';
import { shown } from '../base/shown.ts';
import { readSmall } from './manifest.ts';
import { isBackupId, manifestName } from './naming.ts';
import type { BackupStore, StoredObject } from './store.ts';

const verifiedSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  /** When it was verified, ISO 8601, UTC. */
  at: z.iso.datetime(),
  good: z.boolean(),
  /** What was wrong, one sentence each; empty when it is good. */
  problems: z.array(z.string()),
  keys: z.int().min(0),
  tookMs: z.number(),
  /** Of the server that loaded it. */
  serverVersion: z.string(),
});

export type Verified = z.infer<typeof verifiedSchema>;

const suffix = '.verified.json';

export function verifiedName(id: string): string {
  return `${id}${suffix}`;
}

export async function writeVerified(store: BackupStore, verified: Verified): Promise<void> {
  await store.put(verifiedName(verified.id), Buffer.from(`${JSON.stringify(verified, null, 2)}\n`));
}

export interface Verdicts {
  /** By the backup's id. */
  verdicts: Map<string, Verified>;
  /** Those that can't be read, and why: what they said may have been that the backup is bad. */
  unreadable: { id: string; why: string }[];
}

/** Every verdict in the store. */
export async function readVerified(store: BackupStore): Promise<Verdicts> {
  const found: Verdicts = { verdicts: new Map(), unreadable: [] };
  for (const object of await store.list('redis_')) {
    const id = object.name.slice(0, -suffix.length);
    if (!object.name.endsWith(suffix) || !isBackupId(id)) continue;
    try {
      const verdict = await readOne(store, object, id);
      if (verdict !== undefined) found.verdicts.set(id, verdict);
    } catch (error) {
      found.unreadable.push({ id, why: `its verdict, ${object.name}, can't be read: ${errorText(error)}` });
    }
  }
  return found;
}

async function readOne(
  store: BackupStore,
  { name, unusable }: StoredObject,
  id: string,
): Promise<Verified | undefined> {
  if (unusable !== undefined) throw new Error(`it is ${unusable}`);
  const text = await readSmall(store, name);
  // It was removed while we looked.
  if (text === undefined) return undefined;
  const parsed = verifiedSchema.safeParse(JSON.parse(text));
  const [issue] = parsed.error?.issues ?? [];
  if (!parsed.success) throw new Error(`${issue?.path.join('.') || 'the whole'}: ${issue?.message}`);
  if (parsed.data.id !== id) throw new Error(`it speaks of ${shown(parsed.data.id)}`);
  return parsed.data;
}

/** Removes verdicts on backups that are not there any more. */
export async function sweepVerified(store: BackupStore): Promise<void> {
  const objects = await store.list('redis_');
  const names = new Set(objects.map(({ name }) => name));
  for (const { name, unusable } of objects) {
    if (unusable !== undefined || !name.endsWith(suffix)) continue;
    if (!names.has(manifestName(name.slice(0, -suffix.length)))) await store.remove(name);
  }
}
