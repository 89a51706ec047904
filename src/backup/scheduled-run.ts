/** One try at the backup that is due: schedule.ts has the rules. Done by the worker, so that no agent waits for it. */
import type { Clock } from '../base/clock.ts';
import { describeDuration } from '../base/duration.ts';
import { errorCode, errorText } from '../base/errors.ts';
import { describeSize } from '../base/size.ts';
import type { Backup } from '../spec/spec.ts';
import { lastClaim, putClaim, sweepClaims } from './claims.ts';
import { describeAhead, isAhead, newestOf, startedMs } from './dates.ts';
import { BackupOfNothing } from './errors.ts';
import { listBackups } from './list.ts';
import type { Manifest } from './manifest.ts';
import type { BackupKeys } from './packing.ts';
import { pruneBackups } from './prune.ts';
import { isVerifyDue, nextTryMs } from './schedule.ts';
import type { BackupStore } from './store.ts';
import { sourceForAgent, takeForAgent } from './take-for-agent.ts';
import { readVerified, sweepVerified, type Verdicts, type Verified } from './verified.ts';
import { modulesOf, verifyBackup } from './verify-backup.ts';
import type { ScheduledTask } from './worker-task.ts';

/** What a run is about, with the section of the spec that makes it one. */
export type ScheduledRun = ScheduledTask & { backup: Backup };

export interface ScheduledResult {
  /**
   * `taken`: by us, now. `there`: it was there already. `elsewhere`: another host is at it, or tried a short while ago.
   * `empty`: there is nothing to back up yet.
   */
  outcome: 'taken' | 'there' | 'elsewhere' | 'empty';
  /** What was done, as a sentence. */
  text: string;
  backup: { id: string; bytes: number; keys: number; tookMs: number } | null;
  pruned: string[];
  /** Data of backups that were never finished, removed. */
  swept: number;
  /** The newest backup, and the verdict on the one that was verified last. */
  lastGood: { id: string; atMs: number } | null;
  lastVerified: { id: string; atMs: number; good: boolean } | null;
  /** When a backup was verified by this run. */
  verified: Verified | null;
  /** Why one that was due to be verified could not be. */
  notVerified: string | null;
}

export interface RunContext {
  store: BackupStore;
  clock: Clock;
  signal: AbortSignal;
  report: (step: string) => void;
  keys: BackupKeys;
}

/** @throws what taking the backup throws: then there is none, and the claim on this try stands. */
export async function runScheduled(task: ScheduledRun, context: RunContext): Promise<ScheduledResult> {
  const { store } = context;
  // Those taken before a restore have what was to be replaced: they stand in for none that is due.
  const backups = (await listBackups(store)).filter(
    ({ deployment, reason }) => deployment === task.spec.name && reason !== 'before-restore',
  );
  const { newest, ahead } = newestOf(backups, context.clock.wallMs());
  const satisfied = newest !== undefined && startedMs(newest) >= task.dueMs ? newest : undefined;
  const due = new Date(task.dueMs).toISOString();
  if (satisfied) {
    const text = `the backup that was due at ${due} is there: ${satisfied.id}`;
    return { ...(await summary(context, backups)), outcome: 'there', text };
  }
  if (task.keysNow === 0) {
    const before = newest ?? ahead.at(-1);
    if (before !== undefined && before.keys > 0) throw ofNothing(before);
    const text = `${due}: the database is empty; the first backup is taken once it holds keys`;
    return { ...(await summary(context, backups)), outcome: 'empty', text };
  }
  const { from: wish, compression, recipients } = task.backup;
  const { spec, secretFile, holder } = task;
  const take = { spec, secretFile, holder, wish, reason: 'schedule', compression, recipients } as const;
  // Before the claim: where no member is fit yet, no try is spent.
  const source = await sourceForAgent(take);
  const by = await claim(task, context);
  if (by !== undefined) {
    return { ...(await summary(context, backups)), outcome: 'elsewhere', text: `${due}: ${by}` };
  }
  let taken: Manifest;
  try {
    taken = await takeForAgent(take, source, context);
  } catch (error) {
    if (errorCode(error) !== 'BACKUP_BUSY') throw error;
    return {
      ...(await summary(context, backups)),
      outcome: 'elsewhere',
      text: `${due}: ${errorText(error)}`,
    };
  }
  return finish(task, context, [...backups, taken], taken);
}

function ofNothing({ id, keys }: Manifest): Error {
  return BackupOfNothing(
    `the database is empty, and ${id} has ${keys} keys: no backup was taken of nothing`,
    {
      hint: 'If the data was lost: holdfast restore latest. If the database is meant to be empty: holdfast backup now.',
    },
  );
}

/** @returns undefined when this try is ours, else who has it. */
async function claim(
  { spec, dueMs, host, agent }: ScheduledTask,
  { store, clock }: RunContext,
): Promise<string | undefined> {
  const nowMs = clock.wallMs();
  const last = await lastClaim(store, spec.name, dueMs);
  const isGone = last?.host === host && last.agent !== agent;
  const againMs = last === undefined || isGone ? nowMs : nextTryMs(last, nowMs);
  if (last !== undefined && nowMs < againMs) {
    return `host ${last.host} tried ${describeDuration(Math.max(0, nowMs - last.atMs))} ago; the next try may begin in ${describeDuration(againMs - nowMs)}`;
  }
  const number = (last?.number ?? 0) + 1;
  if (await putClaim(store, spec.name, dueMs, { number, host, agent, atMs: nowMs })) return undefined;
  return 'another host was sooner';
}

/** The backup is there. What follows must not make it look as if it were not. */
async function finish(
  task: ScheduledRun,
  context: RunContext,
  backups: Manifest[],
  taken: Manifest,
): Promise<ScheduledResult> {
  const { store, clock } = context;
  const { ahead } = newestOf(backups, clock.wallMs());
  const said = [
    `took ${taken.id} from ${taken.source.member}: ${taken.keys} keys, ${describeSize(taken.stored.bytes)} in ${describeDuration(taken.durationMs)}`,
  ];
  said.push(...ahead.map((backup) => describeAhead(backup, clock.wallMs())));
  let pruned: string[] = [];
  let swept = 0;
  try {
    const { keep, timezone } = task.backup;
    const { holder, spec } = task;
    const result = await pruneBackups({ store, deployment: spec.name, keep, timezone, holder, clock });
    pruned = result.remove.map(({ backup }) => backup.id);
    swept = result.leftovers.length;
    await sweepClaims(store, clock.wallMs());
  } catch (error) {
    said.push(`pruning failed: ${errorText(error)}`);
  }
  const kept = backups.filter(({ id }) => !pruned.includes(id));
  said.push(`kept ${kept.length}, pruned ${pruned.length === 0 ? 'none' : pruned.join(', ')}`);
  if (swept > 0) said.push(`removed what ${swept} unfinished ones had left`);
  const { verified, notVerified } = await verifyIfDue(task, context, taken);
  if (verified)
    said.push(verified.good ? 'verified by restoring it' : `NOT GOOD: ${verified.problems.join('; ')}`);
  if (notVerified !== null) said.push(`it could not be verified: ${notVerified}`);
  await sweepVerified(store).catch(() => {});
  const rest = await summary(context, kept);
  const backup = {
    id: taken.id,
    bytes: taken.stored.bytes,
    keys: taken.keys,
    tookMs: taken.durationMs,
  };
  return { ...rest, outcome: 'taken', text: said.join('; '), backup, pruned, swept, verified, notVerified };
}

async function verifyIfDue(
  task: ScheduledRun,
  { store, clock, signal, report, keys }: RunContext,
  manifest: Manifest,
): Promise<Pick<ScheduledResult, 'verified' | 'notVerified'>> {
  try {
    const last = newestVerdict(await readVerified(store), clock.wallMs());
    if (!isVerifyDue(task.backup.verify, last?.atMs, clock.wallMs()))
      return { verified: null, notVerified: null };
    const { redisServer, workFolder, spec } = task;
    const loadModules = modulesOf(spec);
    const verified = await verifyBackup({
      ...{ store, manifest, keys, redisServer, workFolder, loadModules, report, signal, clock },
    });
    return { verified, notVerified: null };
  } catch (error) {
    return { verified: null, notVerified: errorText(error) };
  }
}

async function summary(
  { store, clock }: RunContext,
  backups: readonly Manifest[],
): Promise<Omit<ScheduledResult, 'outcome' | 'text'>> {
  const nowMs = clock.wallMs();
  const { newest } = newestOf(backups, nowMs);
  const lastVerified = newestVerdict(await readVerified(store), nowMs);
  return {
    backup: null,
    pruned: [],
    swept: 0,
    lastGood: newest ? { id: newest.id, atMs: startedMs(newest) } : null,
    lastVerified: lastVerified ?? null,
    verified: null,
    notVerified: null,
  };
}

function newestVerdict({ verdicts }: Verdicts, nowMs: number): ScheduledResult['lastVerified'] | undefined {
  const passed = [...verdicts.values()].filter(({ at }) => !isAhead(Date.parse(at), nowMs));
  const [newest] = passed.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return newest && { id: newest.id, atMs: Date.parse(newest.at), good: newest.good };
}
