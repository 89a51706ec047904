/** Claims on scheduled runs, in the store: who tried to take the backup of which time, and when. */
import { z } from 'zod';
import { readSmall } from './manifest.ts';
import type { BackupStore } from './store.ts';

const claimSchema = z.object({ host: z.string(), agent: z.string(), atMs: z.number() });

export interface Claim {
  /** Counted from 1. */
  number: number;
  host: string;
  /** Which life of that host's agent. */
  agent: string;
  atMs: number;
}

const allPrefix = 'holdfast.run_';
const keptMs = 7 * 86_400_000;

function prefixOf(deployment: string, dueMs: number): string {
  return `${allPrefix}${deployment}_${new Date(dueMs).toISOString().slice(0, 19).replaceAll(':', '')}Z_`;
}

/** The last claim on a due time; undefined when nobody tried yet. */
export async function lastClaim(
  store: BackupStore,
  deployment: string,
  dueMs: number,
): Promise<Claim | undefined> {
  const prefix = prefixOf(deployment, dueMs);
  const objects = await store.list(prefix);
  // Others may write there: what is no number as `putClaim` writes it is no claim.
  const numbers = objects
    .map(({ name }) => name.slice(prefix.length))
    .filter((text) => /^[1-9]\d{0,8}$/.test(text))
    .map(Number);
  const number = Math.max(0, ...numbers);
  if (number === 0) return undefined;
  const object = objects.find(({ name }) => name === `${prefix}${number}`);
  // Whatever bears a claim's name is one: that number is taken.
  const text = object?.unusable === undefined ? await readSmall(store, `${prefix}${number}`) : undefined;
  const modifiedMs = object?.modifiedMs ?? 0;
  const parsed = claimSchema.safeParse(text === undefined ? undefined : parse(text));
  return parsed.success
    ? { number, ...parsed.data }
    : { number, host: 'an unknown host', agent: '', atMs: modifiedMs };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns false when somebody else was sooner. */
export async function putClaim(
  store: BackupStore,
  deployment: string,
  dueMs: number,
  { number, ...claim }: Claim,
): Promise<boolean> {
  const bytes = Buffer.from(`${JSON.stringify(claim)}\n`);
  return store.put(`${prefixOf(deployment, dueMs)}${number}`, bytes, { ifAbsent: true });
}

/** Removes claims on times long past. */
export async function sweepClaims(store: BackupStore, nowMs: number): Promise<void> {
  for (const { name, unusable } of await store.list(allPrefix)) {
    if (unusable !== undefined) continue;
    const match = /_(\d{4}-\d\d-\d\dT)(\d\d)(\d\d)(\d\d)Z_\d+$/.exec(name);
    const dueMs = match ? Date.parse(`${match[1]}${match[2]}:${match[3]}:${match[4]}Z`) : nowMs;
    if (dueMs < nowMs - keptMs) await store.remove(name);
  }
}
