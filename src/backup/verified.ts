/** What a verification found, kept beside the backup as `ID.verified.json`. */
import { z } from 'zod';
import { readSmall } from './manifest.ts';
import { manifestName } from './naming.ts';
import type { BackupStore } from './store.ts';

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

/** Every verdict in the store, by the backup's id. One that can't be read counts as none. */
export async function readVerified(store: BackupStore): Promise<Map<string, Verified>> {
  const objects = await store.list('redis_');
  const names = objects.map(({ name }) => name).filter((name) => name.endsWith(suffix));
  const found = new Map<string, Verified>();
  for (const name of names) {
    const verdict = await readOne(store, name);
    // One that speaks of another backup than its name says is none.
    if (verdict !== undefined && verifiedName(verdict.id) === name) found.set(verdict.id, verdict);
  }
  return found;
}

async function readOne(store: BackupStore, name: string): Promise<Verified | undefined> {
  const text = await readSmall(store, name);
  try {
    return text === undefined ? undefined : verifiedSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Removes verdicts on backups that are not there any more. */
export async function sweepVerified(store: BackupStore): Promise<void> {
  const names = new Set((await store.list('redis_')).map(({ name }) => name));
  for (const name of names) {
    if (name.endsWith(suffix) && !names.has(manifestName(name.slice(0, -suffix.length))))
      await store.remove(name);
  }
}
