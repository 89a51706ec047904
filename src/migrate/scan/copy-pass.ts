/**
 * Every key of a source into the target, once: what comes by DUMP goes by RESTORE, some runs of keys under way at a time. Both
 * sides are compared behind it.
 */
import { carryRun } from '../carry-keys.ts';
import type { KeyMapping } from '../key-mapping.ts';
import type { KeySource } from '../key-source.ts';
import type { KeyWriter } from '../key-writer.ts';
import type { LeftOut } from './left-out.ts';
import type { GoneThrough } from './time-left.ts';

export interface CopyProgress {
  keys: number;
  bytes: number;
}

const keysAtATime = 1000;
const pagesInFlight = 3;

/** @throws MIGRATE_REFUSED, REDIS_UNREACHABLE */
export async function copyPass(
  source: KeySource,
  writer: KeyWriter,
  databases: readonly number[],
  {
    leftOut,
    mapping,
    onProgress,
    signal,
  }: {
    leftOut: LeftOut;
    mapping: KeyMapping;
    /** Is waited for. @param last what came behind the last time */
    onProgress: (sofar: CopyProgress, last: GoneThrough) => Promise<void> | void;
    signal: AbortSignal;
  },
): Promise<CopyProgress> {
  const sofar: CopyProgress = { keys: 0, bytes: 0 };
  for (const db of databases) {
    await source.select(db);
    await writer.select(mapping.targetDb(db));
    const underWay = new Set<Promise<void>>();
    let first: { error: unknown } | undefined;
    const copy = async (page: readonly Buffer[]) => {
      const carried = page.filter(mapping.isCarried);
      let gone = page.length - carried.length;
      if (carried.length === 0) await onProgress(sofar, { gone, keys: 0, bytes: 0 });
      for (const run of await source.runs(carried, true)) {
        signal.throwIfAborted();
        const { reasons, bytes } = await carryRun(source, writer, run, mapping, 'if-any');
        for (const [index, reason] of reasons.entries()) {
          if (reason !== null) leftOut.add(db, run.keys[index] as Buffer, reason);
        }
        sofar.keys += run.keys.length;
        sofar.bytes += bytes;
        const keys = run.keys.length;
        await onProgress(sofar, { gone: gone + keys, keys, bytes });
        gone = 0;
      }
    };
    for await (const page of source.pages(keysAtATime)) {
      if (first !== undefined) break;
      const going: Promise<void> = copy(page)
        .catch((error: unknown) => {
          first ??= { error };
        })
        .finally(() => underWay.delete(going));
      underWay.add(going);
      if (underWay.size >= pagesInFlight) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    if (first !== undefined) throw first.error;
  }
  return sofar;
}
