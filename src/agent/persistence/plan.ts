/**
 * What has to be done so that a member's data lies where the spec wants it, and what a member loads meanwhile.
 *
 * redis-server loads its AOF when `appendonly` is on, and its RDB otherwise, whatever else lies in its folder. So a
 * change is never one of the file alone: the server loads what it has by the old setting, writes the new files, and
 * only then does the setting change. A mark (change-mark.ts) says on disk that this is under way. The rules:
 *
 * 1. What a server loads while the mark is there is what `kindOnDisk` says, not what its redis.conf says: a Sentinel
 *    may have it rewrite that file at any moment.
 * 2. To an AOF: the old RDB is brought up to date, the AOF is switched on, and its first rewrite is awaited. It is
 *    complete at the moment in which the manifest (or, before Redis 7, the file) is replaced; until then the RDB counts.
 * 3. From an AOF to an RDB: a save proves that there is room and that the data can be written. Then, in one go, the AOF
 *    is switched off and a save begins, so that no write falls between the two. Until it is complete the AOF counts.
 * 4. To nothing: both are switched off. The files go aside, for what nobody keeps up to date must not be loaded.
 * 5. A process that died in between begins with what counts and the change goes on from there, as often as it takes.
 */
import type { Persistence } from '../../spec/spec.ts';

/** Where data lies: which of its files a server keeps up to date. */
export type DataKind = 'aof' | 'rdb' | 'none';

export interface ChangeMark {
  from: DataKind;
  to: DataKind;
  /** `written`: the new files are complete, and count. */
  stage: 'writing' | 'written';
  /** What told the AOF apart before the change; null when there was none. */
  aofBefore: string | null;
  /** The same for the RDB, before the save that is to be loaded from then on. */
  rdbBefore: string | null;
  /** The save that comes before everything else is done. */
  savedFirst: boolean;
  startedAt: string;
}

/** What a running server and its files say of a change that is under way. */
export interface ChangeSight {
  /** Whether the server writes an AOF, or its first one is under way. */
  appendonly: boolean;
  /** A child saves or rewrites, or is about to. */
  busy: boolean;
  aofStamp: string | null;
  rdbStamp: string | null;
}

export type ChangeStep =
  | 'wait'
  | 'save'
  | 'start-aof'
  | 'check-aof'
  | 'stop-aof-and-save'
  | 'check-rdb'
  | 'stop'
  | 'finish';

export function kindOf(persistence: Persistence): DataKind {
  return persistence === 'none' || persistence === 'rdb' ? persistence : 'aof';
}

/** What a server with these settings keeps up to date. */
export function kindOfSettings({ appendonly, save }: { appendonly: boolean; save: string }): DataKind {
  if (appendonly) return 'aof';
  return save.trim() === '' ? 'none' : 'rdb';
}

/** Which files count while a change is under way. */
export function kindOnDisk(mark: ChangeMark, aofStamp: string | null): DataKind {
  if (mark.stage === 'written') return mark.to;
  if (mark.to === 'aof' && isFresh(aofStamp, mark.aofBefore)) return 'aof';
  return mark.from;
}

export function nextStep(mark: ChangeMark, sight: ChangeSight): ChangeStep {
  if (mark.stage === 'written') return 'finish';
  if (mark.to === 'none') return 'stop';
  if (sight.busy) return 'wait';
  if (mark.to === 'aof') {
    if (sight.appendonly) return isFresh(sight.aofStamp, mark.aofBefore) ? 'check-aof' : 'wait';
    return mark.from === 'rdb' && !mark.savedFirst ? 'save' : 'start-aof';
  }
  if (sight.appendonly) return mark.savedFirst ? 'stop-aof-and-save' : 'save';
  return isFresh(sight.rdbStamp, mark.rdbBefore) ? 'check-rdb' : 'save';
}

/** What is going to be done, one sentence each, for people who ask before. */
export function describeChange(from: DataKind, to: DataKind): string[] {
  if (from === to) return [];
  const load = `it goes on with, or starts from, ${nameOf[from]}`;
  const kept = 'the old files are put aside, into replaced/ in its data folder';
  if (to === 'none') return [load, 'persistence is switched off', kept];
  if (to === 'aof') {
    return [
      load,
      ...(from === 'rdb' ? ['the RDB is saved, so that it has everything'] : []),
      'the AOF is switched on, and its first rewrite is awaited',
      'its keys are counted and compared with the server’s',
      'from then on it loads its AOF',
    ];
  }
  return [
    load,
    ...(from === 'aof'
      ? [
          'an RDB is saved, to see that there is room for it',
          'the AOF is switched off and, with no write between, an RDB is saved',
        ]
      : ['an RDB is saved']),
    'its keys are counted and compared with the server’s',
    'from then on it loads its RDB',
    ...(from === 'aof' ? [kept] : []),
  ];
}

const nameOf: Record<DataKind, string> = {
  aof: 'its AOF',
  rdb: 'its RDB',
  none: 'what it has in memory',
};

/**
 * Whether a file that was written has all keys. Counted in one go with the moment at which the file was begun, the
 * numbers are equal; a server that was written to in between can only be asked that it does not lose everything.
 * @param before,after the server's count before and after that moment.
 */
export function countsAgree(before: number, after: number, inFile: number): boolean {
  if (before === after) return inFile === before;
  return inFile > 0 || Math.min(before, after) === 0;
}

function isFresh(stamp: string | null, before: string | null): boolean {
  return stamp !== null && stamp !== before;
}
