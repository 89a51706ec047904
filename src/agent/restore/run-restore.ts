/**
 * Restores a whole RDB into the running deployment, through its primary, so that replicas follow.
 *
 * The command line serves the verified file (redis/snapshot-server.ts) and asks for this. The primary is made a replica
 * of that server for as long as it takes the data, and then a primary again. Redis does the rest as it does for every
 * replica: it keeps its own data until all of the new has come, loads, and writes a new AOF. So at each moment the
 * deployment has the old data or the new, never some of both. As a replica it refuses writes, so none can get between.
 *
 * 1. The deployment must be calm, and the primary empty unless it may be replaced.
 * 2. The Sentinels are told to be patient (patience.ts), a mark is left for the next agent (restore-mark.ts), and
 *    writes are held (write-fence.ts). The replicas get what is still on its way to them, and the safety backup is
 *    taken: it has every write that was acknowledged.
 * 3. The primary is pointed at the data. When it has it, it is primary again, at once; its AOF is awaited while writes
 *    are still held.
 * 4. As many replicas as it needs to take writes are awaited, and writes go on.
 *
 * When the Sentinels name another primary meanwhile, that ends all of it at once (still-named.ts).
 */
import { describeDuration } from '../../base/duration.ts';
import { errorCode, errorText, HoldfastError } from '../../base/errors.ts';
import { hopeless, pause, waitFor } from '../../base/retry.ts';
import { describeSize } from '../../base/size.ts';
import { type Info, keyCount, replicationInfo } from '../../redis/info.ts';
import type { MemberView } from '../../topology/view.ts';
import type { ChangeContext, Report } from '../change/change-context.ts';
import { endPatience, makePatient, patienceMs } from '../change/patience.ts';
import { WriteFence } from '../change/write-fence.ts';
import type { LiveMember } from '../deployment.ts';
import { RestoreFailed, RestoreRefused } from '../errors.ts';
import {
  asPrimary,
  awaitPersistence,
  calmPrimary,
  primaryFacts,
  type RestoreFacts,
  silentForMs,
} from './restore-checks.ts';
import { endRestore, followsMark, hasTheData, type RestoreEnd } from './restore-end.ts';
import { type DataPlace, type RestoreMark, removeMark, writeMark } from './restore-mark.ts';
import { StillNamed } from './still-named.ts';

export interface RestoreRequest {
  /** What is restored, for people. */
  backup: string;
  /** Where the data is served, and how much of it there is. */
  from: DataPlace;
  bytes: number;
  keys: number;
  replace: boolean;
  safetyBackup: boolean;
}

export interface SafetyBackup {
  id: string;
  store: string;
  /** How far in the replication stream it reaches. */
  replicationOffset: number;
}

export interface RestoreResult {
  primary: string;
  keysBefore: number;
  keysAfter: number;
  /** The ids of the other members that have it, too, and of those that did not yet when it was last looked. */
  copies: readonly string[];
  behind: readonly string[];
  safetyBackup: SafetyBackup | null;
  /** How long writes were held, in ms. */
  heldMs: number;
  tookMs: number;
}

export interface RestoreContext extends ChangeContext {
  /** Hears what went otherwise than it should, though the restore goes on. */
  warn: Report;
  takeSafetyBackup(report: Report, signal: AbortSignal): Promise<SafetyBackup>;
}

const lookEveryMs = 20;
const sayEveryMs = 5000;
const replicasWithinMs = 10_000;
const linkedWithinMs = 10 * 60_000;

/** @throws RESTORE_FAILED, with which data there is, for whatever goes wrong; RESTORE_REFUSED; OPERATION_ABORTED */
export async function restoreWhole(context: RestoreContext, request: RestoreRequest): Promise<RestoreResult> {
  const progress: Progress = { hasCome: false };
  try {
    return await restoreStepByStep(context, request, progress);
  } catch (error) {
    throw asRestoreFailed(error, progress.hasCome ? request.backup : null);
  }
}

/** What the deployment has is told by it when a step fails. */
interface Progress {
  /** The primary has all of the data. */
  hasCome: boolean;
}

/**
 * The error of a step as that of a restore, with which data there is.
 * @param come the name of the backup whose data had come by then; null: nobody had been given any
 */
export function asRestoreFailed(error: unknown, come: string | null): unknown {
  if (/^(RESTORE|OPERATION)_/.test(errorCode(error) ?? '')) return error;
  const [what, has] =
    come === null
      ? ['nothing was restored', 'The deployment has the data of before']
      : [
          `the restore of ${come} did not come to its end`,
          'All of the data had come: a primary that lives on has it, and whoever takes over has that, or the data of before',
        ];
  const hint = error instanceof HoldfastError && error.hint !== undefined ? `${error.hint} ` : '';
  return RestoreFailed(`${what}: ${errorText(error)}. ${has}`, {
    hint: `${hint}holdfast status shows who is primary. The restore can be run again.`,
    cause: error,
  });
}

async function restoreStepByStep(
  context: RestoreContext,
  request: RestoreRequest,
  progress: Progress,
): Promise<RestoreResult> {
  const { deployment } = context;
  const startedMs = performance.now();
  const primary = await calmPrimary(context);
  refuseToOverwrite(await primaryFacts(primary), request);
  const { paths, clock } = deployment.setting;
  const { backup, from, keys } = request;
  const { id } = primary.place;
  const startedAt = new Date(clock.wallMs()).toISOString();
  const before = { keysBefore: null, historyBefore: null, stage: 'begun' } as const;
  const mark: RestoreMark = { backup, keys, primary: id, from, startedAt, ...before };
  const named = new StillNamed(deployment, context.observer, {
    primary: id,
    backup,
    keys,
    history: from.replicationId,
  });
  const run = {
    ...context,
    named,
    progress,
    signal: AbortSignal.any([context.operation.signal, named.signal]),
  };
  try {
    await writeMark(paths, mark);
    let result: Loaded;
    try {
      await makePatient(deployment, patienceMs(request.bytes));
      result = await behindFence(run, primary, request, mark);
    } finally {
      await removeMark(paths);
      await endPatience(deployment, primary);
    }
    const copies = await awaitAllReplicas(run, primary);
    await named.confirm();
    return { ...result, ...copies, tookMs: Math.round(performance.now() - startedMs) };
  } catch (error) {
    // Given up in order: nothing was restored, whoever is primary.
    throw errorCode(error) === 'OPERATION_ABORTED' ? error : await named.explain(error);
  } finally {
    named.end();
  }
}

/** Under the fence every step and every wait ends with `signal`: when it is given up, or another primary is named. */
interface RestoreRun extends RestoreContext {
  named: StillNamed;
  progress: Progress;
  signal: AbortSignal;
}

/** The data is in the primary. */
type Loaded = Omit<RestoreResult, 'tookMs' | 'copies' | 'behind'>;

/** What is done while nobody can write. */
async function behindFence(
  context: RestoreRun,
  primary: LiveMember,
  request: RestoreRequest,
  mark: RestoreMark,
): Promise<Loaded> {
  const { deployment, report, signal, named } = context;
  const heldSinceMs = performance.now();
  report(`writes are held; ${primary.place.id} gets ${request.keys} keys from ${request.backup}`);
  const fence = await WriteFence.raise(deployment, primary);
  try {
    const { keys: keysBefore } = refuseToOverwrite(await primaryFacts(primary), request);
    const safetyBackup = keysBefore > 0 && request.safetyBackup ? await saveFirst(context, primary) : null;
    await named.ask();
    signal.throwIfAborted();
    fence.check();
    const pointed: RestoreMark = { ...mark, keysBefore, stage: 'pointed' };
    const keysAfter = await handOver(context, primary, request, pointed);
    const isOnDisk = await awaitPersistence(primary, report, named.signal);
    if (isOnDisk) await noteWritten(context, pointed);
    await awaitEnoughReplicas(context, primary);
    const heldMs = Math.round(performance.now() - heldSinceMs);
    return { primary: primary.place.id, keysBefore, keysAfter, safetyBackup, heldMs };
  } finally {
    await fence.drop();
  }
}

/** The data is there by now, whether that can be written down or not: without it the next agent says less for certain. */
async function noteWritten({ deployment, warn }: RestoreRun, pointed: RestoreMark): Promise<void> {
  await writeMark(deployment.setting.paths, { ...pointed, stage: 'written' }).catch((error) => {
    warn(`that the data is on disk could not be written down: ${errorText(error)}`);
  });
}

/** @throws RESTORE_REFUSED */
export function refuseToOverwrite(facts: RestoreFacts, { replace }: { replace: boolean }): RestoreFacts {
  if (facts.keys === 0 || replace) return facts;
  throw RestoreRefused(`${facts.primary} holds ${facts.keys} keys; a restore would replace all of them`, {
    hint: 'If that is meant, add --replace: a backup of what is there is taken first. To bring back some keys beside those that are there, choose them with --match, --db or --prefix.',
  });
}

/** Takes the safety backup, when every replica it could be taken from has every write. */
async function saveFirst(context: RestoreRun, primary: LiveMember): Promise<SafetyBackup> {
  const { deployment, report, signal } = context;
  const before = await primary.watch.client.role();
  const offset = before.role === 'primary' ? before.offset : Number.POSITIVE_INFINITY;
  const caughtUp = async () => {
    const role = await primary.watch.client.role();
    if (role.role !== 'primary') {
      const text = `nothing was restored: ${primary.place.id} is primary no more`;
      throw hopeless(
        RestoreFailed(text, { hint: 'Nothing was changed. holdfast status shows who is primary.' }),
      );
    }
    return role.replicas.filter((each) => deployment.memberAt(each)).every((each) => each.offset >= offset);
  };
  await waitFor(caughtUp, { what: 'the replicas to have every write', withinMs: replicasWithinMs, signal });
  report('taking a backup of what is there first');
  const taken = await context.takeSafetyBackup(report, signal).catch((cause) => {
    throw RestoreFailed(`nothing was restored: the backup of what is there failed: ${errorText(cause)}`, {
      hint: 'Nothing was changed. Fix that, or add --no-safety-backup if what is there is worth nothing.',
      cause,
    });
  });
  if (taken.replicationOffset < offset) {
    throw RestoreFailed(
      `nothing was restored: the backup ${taken.id} of what is there ends at offset ${taken.replicationOffset}, and the primary was at ${offset}`,
      { hint: 'The replica it was taken from was behind. Nothing was changed; try again.' },
    );
  }
  report(`${taken.id} in ${taken.store} has what was there`);
  return taken;
}

/** Points the primary at the data, and makes it primary again when it has it. @returns its number of keys then. */
async function handOver(
  context: RestoreRun,
  primary: LiveMember,
  { backup, from, keys, bytes }: RestoreRequest,
  pointed: RestoreMark,
): Promise<number> {
  const { deployment, report, warn, named } = context;
  const { id } = primary.place;
  const { replId } = replicationInfo(await primary.watch.client.info('replication'));
  const mark = { ...pointed, historyBefore: replId };
  await writeMark(deployment.setting.paths, mark);
  try {
    // Whose answer is lost may have been heard.
    await primary.watch.client.replicaOf(from);
    await awaitData(context, primary, mark, bytes);
  } catch (error) {
    // A primary that was replaced is not made one again: it is told to follow the other as soon as this has ended.
    await named.ask();
    const end = await endRestore(primary, mark, named.signal);
    if (end !== 'new') throw explainEnd(error, end, id, backup);
  }
  context.progress.hasCome = true;
  await named.ask();
  const keysAfter = keyCount(await primary.watch.client.info('keyspace'));
  await primary.watch.client.replicaOf(null);
  await primary.watch.look();
  named.noteHistory(primary.watch.seen.histories[0]);
  report(`${id} has the data and is primary again: ${keysAfter} keys`);
  if (keysAfter !== keys) warn(`${keys} keys were given and ${id} counts ${keysAfter}`);
  return keysAfter;
}

async function awaitData(
  { report, signal, named }: RestoreRun,
  { watch, unit, place }: LiveMember,
  mark: RestoreMark,
  bytes: number,
): Promise<void> {
  let answeredMs = performance.now();
  let saidMs = answeredMs;
  for (;;) {
    try {
      const info = await watch.client.info();
      answeredMs = performance.now();
      if (!followsMark(info, mark)) throw new Diverted(`${place.id} was pointed at another server`);
      const loading = info['loading'] === '1';
      if (!loading && hasTheData(info, mark)) return;
      if (performance.now() - saidMs > sayEveryMs) {
        saidMs = performance.now();
        const done = Number(loading ? info['loading_loaded_bytes'] : info['master_sync_read_bytes']) || 0;
        report(
          `${place.id} ${loading ? 'loads' : 'receives'}: ${describeSize(done)} of ${describeSize(bytes)}`,
        );
      }
      named.signal.throwIfAborted();
      // While it loads the data is all there, or was never on disk: then it ends by itself.
      if (!loading) signal.throwIfAborted();
    } catch (error) {
      if (error instanceof Diverted || signal.aborted) throw error;
      if (unit?.process.running === false) throw new Error(`the process of ${place.id} is gone`);
      if (performance.now() - answeredMs > silentForMs) throw error;
    }
    await pause(lookEveryMs);
  }
}

class Diverted extends Error {}

function explainEnd(cause: unknown, end: Exclude<RestoreEnd, 'new'>, id: string, backup: string): Error {
  const now = {
    old: `${id} has the data of before and is primary again`,
    unknown: `${id} was started anew and is primary; it has the data of before, or all of the new`,
    gone: `${id} is not primary any more; who takes over has the data of before, or all of the new`,
  };
  const what =
    end === 'unknown' ? `the restore of ${backup} did not come to its end` : `${backup} was not restored`;
  return RestoreFailed(`${what}: ${errorText(cause)}. ${now[end]}`, {
    hint: 'holdfast status shows who is primary. The restore can be run again.',
    cause,
  });
}

async function awaitEnoughReplicas(
  { deployment, observer, warn, signal, named }: RestoreRun,
  primary: LiveMember,
): Promise<void> {
  const needed = Math.min(deployment.spec.redis.minReplicasToWrite, deployment.members.length - 1);
  const enough = async (info: Info) =>
    replicationInfo(info).replicas.filter(({ online }) => online).length >= needed;
  await asPrimary(primary, enough, { withinMs: linkedWithinMs, signal }).catch((error) => {
    named.check();
    if (error instanceof HoldfastError && !signal.aborted) throw error;
    warn(`${fewerThan(needed)} the data yet; writes go on, and wait for that`);
  });
  await observer.lookAtAll();
}

async function awaitAllReplicas(
  { deployment, observer, report, warn, signal, named }: RestoreRun,
  primary: LiveMember,
): Promise<Pick<RestoreResult, 'copies' | 'behind'>> {
  const startedMs = performance.now();
  const [history] = primary.watch.seen.histories;
  const others = () => deployment.view().members.filter(({ id }) => id !== primary.place.id);
  // One that has not noticed yet still has the history of before.
  const hasIt = ({ reachable, linkUp, busy, histories }: MemberView) =>
    reachable && linkUp && !busy && histories[0] === history;
  const linked = async () => {
    await observer.lookAtAll();
    return others().every((member) => !member.reachable || hasIt(member));
  };
  const what = 'every replica to have the data';
  try {
    await waitFor(linked, { what, withinMs: linkedWithinMs, everyMs: 50, signal });
    report(`every replica that is up has it too, after ${describeDuration(performance.now() - startedMs)}`);
  } catch (error) {
    named.check();
    warn(
      `the data is in, and not in every replica yet: ${errorText(error)}; holdfast status shows who is behind`,
    );
  }
  const copies = others().filter(hasIt);
  const behind = others().filter((member) => !hasIt(member));
  return { copies: copies.map(({ id }) => id), behind: behind.map(({ id }) => id) };
}

function fewerThan(needed: number): string {
  return needed <= 1 ? 'no replica has' : `fewer than ${needed} replicas have`;
}
