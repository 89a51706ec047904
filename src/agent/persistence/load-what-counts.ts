/**
 * What a member loads when it is started, while its persistence differs from what the spec wants or is being changed.
 * The lines of the spec are brought into its redis.conf before a cold start; the one that chooses what is loaded must
 * wait until the data has been written anew (change-persistence.ts).
 */
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import { mergeDirectives } from '../../render/merge-directives.ts';
import type { RedisSettings } from '../../spec/spec.ts';
import type { UnitPaths } from '../state/paths.ts';
import { readChangeMark, removeChangeMark, writeChangeMark } from './change-mark.ts';
import { aofStamp, dataFiles, kindInConf, rdbStamp } from './data-files.ts';
import { type ChangeMark, type DataKind, kindOf, kindOnDisk } from './plan.ts';

/** A change that a start is to begin with. */
export interface PendingChange {
  from: DataKind;
  to: DataKind;
}

/** What has to be changed at this member before it is as the spec says; null when nothing has to. */
export async function pendingChange(paths: UnitPaths, redis: RedisSettings): Promise<PendingChange | null> {
  const conf = await readFileIfThere(paths.config);
  if (conf === undefined) return null;
  const mark = await readChangeMark(paths);
  const to = kindOf(redis.persistence);
  const counts = mark ? kindOnDisk(mark, await aofStamp(dataFiles(paths.dataDir, conf))) : kindInConf(conf);
  // A change that is written only has to be finished, which needs the mark.
  if (counts === to && mark?.stage !== 'written') return null;
  return { from: counts, to };
}

/**
 * To be called before the spec's lines are brought into a redis.conf that is there: leaves the mark of a change that is
 * needed, and takes away that of one that is not any more.
 */
export async function noteChange(paths: UnitPaths, redis: RedisSettings, wallMs: number): Promise<void> {
  const conf = await readFileIfThere(paths.config);
  if (conf === undefined) return;
  const files = dataFiles(paths.dataDir, conf);
  const mark = await readChangeMark(paths);
  const pending = await pendingChange(paths, redis);
  if (pending === null) {
    if (mark !== null) await removeChangeMark(paths);
    return;
  }
  if (mark?.to === pending.to) return;
  const next: ChangeMark = {
    ...pending,
    stage: 'writing',
    aofBefore: await aofStamp(files),
    rdbBefore: await rdbStamp(files),
    savedFirst: false,
    startedAt: new Date(wallMs).toISOString(),
  };
  await writeChangeMark(paths, next);
}

/** To be called before each start: while a change is under way, `appendonly` is what counts. */
export async function loadWhatCounts(paths: UnitPaths): Promise<void> {
  const mark = await readChangeMark(paths);
  const conf = mark && (await readFileIfThere(paths.config));
  if (!mark || conf === undefined || conf === null) return;
  const counts = kindOnDisk(mark, await aofStamp(dataFiles(paths.dataDir, conf)));
  const pinned = mergeDirectives(conf, `appendonly ${counts === 'aof' ? 'yes' : 'no'}\n`);
  if (pinned !== conf) await writeFileAtomic(paths.config, pinned);
}
