/** What a restore asks of the primary before it begins and after the data is there. */

import { askModules, type ServerModules } from '../../backup/server-modules.ts';
import { pause, waitFor } from '../../base/retry.ts';
import type { Caller } from '../../redis/connection.ts';
import { type Info, keyCount, productOf } from '../../redis/info.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { namedPrimary, notCalm } from '../../topology/view.ts';
import type { ChangeContext, Report } from '../change/change-context.ts';
import type { LiveMember } from '../deployment.ts';
import { RestoreFailed, RestoreRefused } from '../errors.ts';

/** What the command line must know to prepare the data. */
export interface RestoreFacts {
  primary: string;
  /** Whether it runs on the host of the agent that was asked, and that host's id. */
  local: boolean;
  host: string;
  keys: number;
  /** How many databases it has. */
  databases: number;
  product: 'redis' | 'valkey';
  version: string;
  modules: ServerModules;
}

/** A member whose files are waited for. */
export interface Persisting {
  readonly place: { id: string };
  /** Null for a member of another host. */
  readonly unit: { process: { running: boolean } } | null;
  readonly watch: {
    readonly client: Pick<MemberClient, 'info' | 'getConfig'> & { readonly connection: Caller };
  };
}

const calmWithinMs = 15_000;
const lookEveryMs = 50;
export const silentForMs = 15_000;

/** The primary, when the Sentinels and itself agree that it is. @throws RESTORE_REFUSED */
export async function calmPrimary({
  deployment,
  observer,
  operation: { signal },
}: ChangeContext): Promise<LiveMember> {
  if (deployment.spec.mirror !== null) {
    throw RestoreRefused(
      'nothing was restored: with topology: mirror a backup is not brought back into what runs',
      {
        hint: 'Load it by holdfast migrate from the file, through the read-write port: docs/mirroring.md.',
      },
    );
  }
  let problem = '';
  const calm = async () => {
    await observer.lookAtAll();
    problem = notCalm(deployment.view()) ?? '';
    return problem === '';
  };
  const what = 'a calm moment';
  await waitFor(calm, { what, withinMs: calmWithinMs, everyMs: lookEveryMs, signal }).catch((cause) => {
    signal.throwIfAborted();
    throw RestoreRefused(`nothing was restored: ${problem}`, {
      hint: 'holdfast status and holdfast events show the state of each. A restore goes through a primary that all agree on.',
      cause,
    });
  });
  return deployment.member(namedPrimary(deployment.view())?.id ?? '');
}

export async function primaryFacts({ place, unit, watch }: LiveMember, host = ''): Promise<RestoreFacts> {
  const info = await watch.client.info();
  const { databases } = await watch.client.getConfig('databases');
  const { name: product, version } = productOf(info);
  return {
    primary: place.id,
    local: unit !== null,
    host,
    keys: keyCount(info),
    databases: Number(databases ?? 16),
    product,
    version,
    modules: await askModules((name, ...args) => watch.client.connection.call(name, ...args)),
  };
}

/**
 * Waits until the data would survive a crash: with an AOF, Redis writes a new one by itself after it has taken a
 * primary's data; with save points, an RDB is saved. Nothing cuts it short: until the first AOF is written, Redis refuses
 * to shut down, and would lose the data if it were killed. Only a primary that was replaced is not waited for.
 * @param replaced aborted when another member is named primary
 * @returns whether it is on disk: false where nothing is written there
 * @throws RESTORE_FAILED when that can't be written, or the member is primary no more; the signal's reason.
 */
export async function awaitPersistence(
  member: Persisting,
  report: Report,
  replaced: AbortSignal,
): Promise<boolean> {
  const { watch, place } = member;
  const { appendonly, save } = await watch.client.getConfig('appendonly', 'save');
  if (appendonly === 'yes') {
    report(`${place.id} writes its append-only file anew`);
    const isWritten = async (info: Info) => {
      const pending = info['aof_rewrite_in_progress'] === '1' || info['aof_rewrite_scheduled'] === '1';
      if (!pending && info['aof_last_bgrewrite_status'] !== 'ok')
        throw notWritten(place.id, 'append-only file');
      return !pending && info['aof_enabled'] === '1' && info['aof_last_write_status'] === 'ok';
    };
    await asPrimary(member, isWritten, { signal: replaced });
    return true;
  }
  if ((save ?? '') === '') return false;
  report(`${place.id} saves it`);
  const { rdb_last_save_time: before } = await watch.client.info('persistence');
  await watch.client.connection.call('BGSAVE', 'SCHEDULE');
  const isSaved = async (info: Info) => {
    const pending = info['rdb_bgsave_in_progress'] === '1';
    if (!pending && info['rdb_last_bgsave_status'] !== 'ok') throw notWritten(place.id, 'RDB');
    const saved = Number(info['rdb_last_save_time']) > Number(before);
    return !pending && (saved || info['rdb_changes_since_last_save'] === '0');
  };
  await asPrimary(member, isSaved, { signal: replaced });
  return true;
}

/**
 * Looks until the test holds.
 * @throws RESTORE_FAILED when it is primary no more, or silent for long; the signal's reason when it is aborted.
 */
export async function asPrimary(
  { watch, place, unit }: Persisting,
  test: (info: Info) => Promise<boolean>,
  { withinMs = Number.POSITIVE_INFINITY, signal }: { withinMs?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const giveUpMs = performance.now() + withinMs;
  let answeredMs = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const info = await watch.client.info().catch(() => undefined);
    const nowMs = performance.now();
    if (info !== undefined) answeredMs = nowMs;
    const isGone = unit?.process.running === false || nowMs - answeredMs > silentForMs;
    if (isGone || (info !== undefined && info['role'] !== 'master')) {
      throw RestoreFailed(
        `${place.id} had the data, and then it ${isGone ? 'was gone' : 'was primary no more'}`,
        {
          hint: 'See holdfast status for who is primary now, and which data it has; the restore can be run again.',
        },
      );
    }
    if (info !== undefined && (await test(info))) return;
    if (nowMs > giveUpMs) throw new Error(`gave up after ${withinMs} ms`);
    await pause(lookEveryMs, signal);
  }
}

function notWritten(id: string, what: string): Error {
  return RestoreFailed(`${id} has the data in memory, but could not write its ${what}`, {
    hint: `Its log says why; a full disk is likely. Make room, then BGREWRITEAOF or BGSAVE on ${id}, before anything restarts.`,
  });
}
