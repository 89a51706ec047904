import { type Clock, systemClock } from '../base/clock.ts';
import type { Keep } from '../spec/spec.ts';
import { surveyStore } from './list.ts';
import { lockStore } from './lock.ts';
import { manifestName } from './naming.ts';
import { type PrunePlan, planPrune } from './retention.ts';
import type { BackupStore, StoredObject } from './store.ts';
import { readVerified } from './verified.ts';

export interface PruneOptions {
  store: BackupStore;
  /** Only backups of this deployment are looked at; others may share the store. */
  deployment: string;
  keep: Keep;
  timezone: string;
  /** Who prunes, for those who are refused meanwhile. */
  holder: string;
  /** Removes nothing. */
  dryRun?: boolean;
  signal?: AbortSignal;
  report?: (line: string) => void;
  clock?: Clock;
}

export interface PruneResult extends PrunePlan {
  /** Data whose backup was never finished. */
  leftovers: StoredObject[];
  /** Backups that cannot be used; they are left for a person to look at. */
  broken: { id: string; why: string }[];
}

/**
 * Removes what no rule keeps. The manifest goes first, so that what is listed is whole at every moment; the newest
 * good backup always stays, and broken ones are neither counted nor removed.
 * @throws BACKUP_BUSY while a backup is being taken, and what the store throws.
 */
export async function pruneBackups(options: PruneOptions): Promise<PruneResult> {
  const { store, signal, clock = systemClock } = options;
  if (options.dryRun) return await plan(options, clock);
  const lock = await lockStore(store, options.holder, signal, clock);
  try {
    const result = await plan(options, clock);
    for (const { backup } of result.remove) {
      signal?.throwIfAborted();
      await lock.check();
      await store.remove(manifestName(backup.id));
      await store.remove(backup.object);
      options.report?.(`removed ${backup.id}`);
    }
    for (const { name } of result.leftovers) {
      signal?.throwIfAborted();
      await lock.check();
      await store.remove(name);
      options.report?.(`removed ${name}, whose backup was never finished`);
    }
    await store.sweep(Number.POSITIVE_INFINITY);
    return result;
  } finally {
    await lock.release().catch(() => {});
  }
}

async function plan({ store, deployment, keep, timezone }: PruneOptions, clock: Clock): Promise<PruneResult> {
  const { backups, broken, leftovers } = await surveyStore(store);
  const own = backups.filter((backup) => backup.deployment === deployment);
  const { verdicts, unreadable } = await readVerified(store);
  const failed = [...verdicts.values()].filter(({ good }) => !good);
  const suspect = new Map([
    ...failed.map(({ id }) => [id, 'it failed its verification; look at it'] as const),
    ...unreadable.map(({ id, why }) => [id, `${why}; look at it`] as const),
  ]);
  return { ...planPrune(own, keep, clock.wallMs(), timezone, suspect), broken, leftovers };
}
