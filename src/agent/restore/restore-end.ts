/**
 * Brings a primary that was pointed at a restore's data back to being a primary, whatever has happened so far. Redis
 * takes a full synchronisation in three steps, and this is what is known after an interruption of each:
 *
 * 1. Until all of the data has come it keeps its own, in memory and on disk: it goes on with that.
 * 2. Then it stops its AOF, drops what it has in memory and loads. When that can't be finished, the old data is in its
 *    AOF, and its replicas have it too; as a primary it would write an empty AOF over the one. So it is shut down, and
 *    either a replica takes over or it starts again from its AOF.
 * 3. Once it has loaded everything, it has the new data: it goes on with that.
 *
 * When the server itself died and was started again, only what was written down of the restore tells (restore-mark.ts).
 */
import { errorText } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import type { Caller } from '../../redis/connection.ts';
import { refusalKind } from '../../redis/errors.ts';
import type { Info } from '../../redis/info.ts';
import { keyCount, replicationInfo } from '../../redis/info.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { namedPrimary } from '../../topology/view.ts';
import type { ChangeContext } from '../change/change-context.ts';
import { takeBackPatience } from '../change/patience.ts';
import { type RestoreMark, readMark, removeMark } from './restore-mark.ts';

/**
 * Which data the primary goes on with; `unknown`: it was started anew, under another history's id, at a stage in which its files may
 * have had either; `gone`: it does not run any more, or is nobody's primary.
 */
export type RestoreEnd = 'old' | 'new' | 'unknown' | 'gone';

/** A member that was pointed at a restore's data. */
export interface RestoredMember {
  /** Null for a member of another host. */
  readonly unit: { process: { running: boolean } } | null;
  readonly watch: {
    readonly client: Pick<MemberClient, 'info' | 'getConfig' | 'replicaOf'> & { readonly connection: Caller };
  };
}

const lookEveryMs = 50;
const loadWithinMs = 2 * 3_600_000;
const silentForMs = 15_000;
const lookWithinMs = 1000;

export function followsMark(info: Info, { from }: RestoreMark): boolean {
  const { role, primaryAddress, primaryPort } = replicationInfo(info);
  return role === 'replica' && primaryAddress === from.address && primaryPort === from.port;
}

/**
 * Whether it has loaded all of the data: only then does it take over the history's id, which becomes its second one when
 * it is primary again.
 */
export function hasTheData(info: Info, { from }: RestoreMark): boolean {
  const { replId, replIdBefore } = replicationInfo(info);
  return replId === from.replicationId || replIdBefore === from.replicationId;
}

/**
 * Never throws for what the server does: the worst is `gone`.
 * @param signal ends the waiting; the next agent goes on with it. @throws its reason.
 * @param isOurs whether it is still the one to be primary: otherwise nothing is done to it, and it is `gone` at once
 */
export async function endRestore(
  member: RestoredMember,
  mark: RestoreMark,
  signal?: AbortSignal,
  isOurs: () => boolean = () => true,
): Promise<RestoreEnd> {
  const giveUpMs = performance.now() + loadWithinMs;
  let answeredMs = performance.now();
  while (performance.now() < giveUpMs) {
    try {
      const end = await tryToEnd(member, mark, isOurs);
      if (end !== undefined) return end;
      answeredMs = performance.now();
    } catch (error) {
      // It may have begun to load since it was asked.
      if (refusalKind(error) === 'LOADING') answeredMs = performance.now();
      if (performance.now() - answeredMs > silentForMs) return 'gone';
    }
    if (member.unit?.process.running === false) return 'gone';
    await pause(lookEveryMs, signal);
  }
  return 'gone';
}

/** @returns undefined while it loads. */
async function tryToEnd(
  member: RestoredMember,
  mark: RestoreMark,
  isOurs: () => boolean,
): Promise<RestoreEnd | undefined> {
  const { client } = member.watch;
  const info = await client.info();
  if (!isOurs()) return 'gone';
  if (info['loading'] === '1') return undefined;
  const isNew = hasTheData(info, mark);
  if (!followsMark(info, mark)) return info['role'] === 'master' ? dataOf(info, mark) : 'gone';
  if (!isNew && (mark.keysBefore ?? 0) > 0 && (await hasDroppedItsData(member, info))) {
    await client.connection.call('SHUTDOWN', 'NOSAVE').catch(() => {});
    return 'gone';
  }
  await client.replicaOf(null);
  return isNew ? 'new' : 'old';
}

/** Of one that is primary already. A start from an AOF makes a new history of what is in it: then the stage says what that can be. */
function dataOf(info: Info, mark: RestoreMark): RestoreEnd {
  if (hasTheData(info, mark) || mark.stage === 'written') return 'new';
  const { replId, replIdBefore } = replicationInfo(info);
  const isOld = mark.stage === 'begun' || [replId, replIdBefore].includes(mark.historyBefore ?? 'none');
  return isOld ? 'old' : 'unknown';
}

/** With an AOF, it is stopped at that very moment. Without, an empty database tells. */
async function hasDroppedItsData({ watch }: RestoredMember, info: Info): Promise<boolean> {
  const { appendonly } = await watch.client.getConfig('appendonly');
  return appendonly === 'yes' ? info['aof_enabled'] === '0' : keyCount(info) === 0;
}

/** Whether the agent before this one left a restore that is to be ended. */
export async function isRestoreInterrupted({
  setting,
  events,
  troubles,
}: Pick<ChangeContext['deployment'], 'setting' | 'events' | 'troubles'>): Promise<boolean> {
  try {
    return (await readMark(setting.paths)) !== undefined;
  } catch (error) {
    // What it was about nobody knows: a person is told until the file is gone and an agent has looked again.
    troubles.note('restore', errorText(error));
    events.add('state-damaged', setting.spec.name, errorText(error));
    return false;
  }
}

/** For an agent that starts: ends what the one before it had begun. */
export async function endInterruptedRestore({
  deployment,
  observer,
  report,
  operation: { signal },
}: ChangeContext): Promise<void> {
  const { setting, events } = deployment;
  const mark = await readMark(setting.paths);
  if (mark === undefined) return;
  report(`a restore of ${mark.backup} was interrupted: ending it`);
  await observer.lookAtAll();
  const member = deployment.members.find(({ place }) => place.id === mark.primary);
  const named = () => namedPrimary(deployment.view())?.id;
  const stillNamed = named() === mark.primary;
  // What it loads takes long: the Sentinels may make another one primary meanwhile. A majority may also be silent for a while.
  const isOurs = () => [undefined, mark.primary].includes(named());
  // Sentinels can't ask a server whose writes are paused: that comes first.
  await member?.watch.client.unpauseWrites().catch(() => {});
  const reached = member && stillNamed ? await endRestore(member, mark, signal, isOurs) : 'gone';
  await observer.lookWithin(lookWithinMs);
  const end = isOurs() ? reached : 'gone';
  // Nobody waits until the last Sentinel has seen it.
  void takeBackPatience(deployment);
  await removeMark(setting.paths);
  const info =
    end === 'unknown' ? await member?.watch.client.info('keyspace').catch(() => undefined) : undefined;
  const holds = info === undefined ? 'it does not answer' : `it holds ${keyCount(info)} keys`;
  const texts: Record<RestoreEnd, string> = {
    old: `the restore of ${mark.backup} was interrupted before it changed anything: ${mark.primary} has the data of before; run it again`,
    new: `the restore of ${mark.backup} was interrupted when all data had arrived: ${mark.primary} has the restored data`,
    unknown: `the restore of ${mark.backup} was interrupted and ${mark.primary} died meanwhile; which data it has is not known: ${holds}, there were ${mark.keysBefore ?? '?'} before, and the backup has ${mark.keys ?? '?'}; look, or run it again`,
    gone: `the restore of ${mark.backup} was interrupted and ${mark.primary} is primary no more; see which data the new primary has, and run it again`,
  };
  report(texts[end]);
  events.add('restore-interrupted', mark.primary, texts[end]);
}
