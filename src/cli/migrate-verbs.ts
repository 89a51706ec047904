/** What is asked of a migration that was begun: of the process that runs it, over its socket. */
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { stateDirOf } from '../agent/state/paths.ts';
import { describeDuration, parseDuration } from '../base/duration.ts';
import { errorCode, errorText } from '../base/errors.ts';
import type { Abandoned } from '../migrate/abandon.ts';
import { askControl, type ControlRequest, isAnswered } from '../migrate/control.ts';
import type { CutOverResult } from '../migrate/cut-over.ts';
import { goneForGood } from '../migrate/errors.ts';
import { isFile, type MigrationPaths, migrationPaths, type Plan, readPlan } from '../migrate/plan.ts';
import { type Progress, readProgress, type SourceProgress } from '../migrate/progress.ts';
import { RedisUnreachable } from '../redis/errors.ts';
import type { Output } from './output.ts';
import { collectWhole } from './rdb-options.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface Options extends CommonOptions {
  stateDir?: string;
  within?: number;
  gate?: string[];
  withoutGate?: string[];
  undo?: boolean;
  release?: boolean;
}

/** It is written every second. */
const staleMs = 10_000;

type Work = (output: Output, paths: MigrationPaths, options: Options) => Promise<number | undefined | void>;

/** @param place where the state lies unless another place is named */
export function migrateVerbs(place: string): Command[] {
  const make = (name: string, summary: string, examples: [string, string][], work: Work) =>
    verb(name, summary, examples)
      .option('--state-dir <dir>', 'where this migration keeps its state, instead of the default place')
      .action(
        action<Options>((output, _, options) =>
          work(output, migrationPaths(stateDirOf(place, options.stateDir)), options),
        ),
      );
  return [
    make(
      'status',
      'show how far the migration is',
      [['holdfast migrate status --json', 'for programs']],
      status,
    ),
    make(
      'pause',
      'stop reading from the sources',
      [['holdfast migrate pause', 'until holdfast migrate resume']],
      pause,
    ),
    make(
      'resume',
      'go on with a migration that was paused, stopped or killed',
      [
        ['holdfast migrate resume', 'from where it was'],
        [
          'holdfast migrate resume --without-gate /run/gate.sock',
          'behind a cut-over whose gate is gone for good',
        ],
      ],
      resume,
    ).option(
      '--without-gate <socket>',
      'a gate of the cut-over that is gone for good, by its --control; repeat it',
      collectWhole,
    ),
    make(
      'cutover',
      'hold the writers at the old side, apply the rest, and compare',
      [
        ['holdfast migrate cutover', 'writers of the old side wait from then on'],
        ['holdfast migrate cutover --gate /run/gate.sock', 'writers of that gate go on at the target'],
        ['holdfast migrate cutover --undo', 'let them go on at the old side'],
      ],
      cutOver,
    )
      .option(
        '--within <duration>',
        'longest time that writers may wait for it; else nothing is changed (10s)',
        duration,
      )
      .option('--gate <socket>', 'a gate before the old servers, by its --control; repeat it', collectWhole)
      .option('--undo', 'let writers go on at the old side, and follow it again'),
    make(
      'finish',
      'end the migration behind its cut-over',
      [['holdfast migrate finish', 'the old side takes no writes any more']],
      finish,
    ).option('--release', 'let clients write at the old side again, which nobody follows'),
    make(
      'abort',
      'give the migration up; what is at the target of it stays',
      [['holdfast migrate abort', 'the old side is as it was']],
      abort,
    ),
  ];
}

async function status(output: Output, paths: MigrationPaths): Promise<number> {
  await readPlan(paths);
  const [progress, runs] = [await readProgress(paths), await isAnswered(paths.socket)];
  output.data({ running: runs, ...progress });
  if (progress === null) output.line('it has not begun');
  else {
    const { describeProgress } = await import('./migrate-run.ts');
    output.line(
      `${progress.phase}${runs ? '' : ', and no process runs it: holdfast migrate resume goes on'}`,
    );
    if (progress.change !== null) output.line(`  ${describeChange(progress.change, runs)}`);
    for (const source of describeProgress(progress)) output.line(`  ${source}`);
    const oldMs = Date.now() - progress.writtenMs;
    if (runs && oldMs > staleMs)
      output.line(
        `  so it was ${describeDuration(oldMs)} ago: why that is not written since, its process says`,
      );
    if (progress.failure !== null) output.line(`  ${progress.failure.message} [${progress.failure.code}]`);
  }
  const sources = progress?.phase === 'running' ? progress.sources : [];
  // By scan nobody knows the lag, and nothing is wrong.
  const isHeld = ({ phase, sourceOffset, lagBytes }: SourceProgress) =>
    phase === 'waiting' || (phase === 'following' && sourceOffset !== null && lagBytes === null);
  const isWell = progress?.phase !== 'failed' && (progress?.notMoved.length ?? 0) === 0;
  return runs && isWell && !sources.some(isHeld) ? 0 : 3;
}

function describeChange(change: NonNullable<Progress['change']>, runs: boolean): string {
  if (change === 'abort')
    return runs
      ? 'it is being given up'
      : 'it was being given up: holdfast migrate abort brings that to its end';
  if (change === 'finish') return 'its finish was begun: holdfast migrate finish brings it to its end';
  const what = change === 'undo' ? 'the undo of its cut-over' : 'its cut-over';
  return runs
    ? `${what} is under way`
    : `${what} was begun, and did not come to its end: writers may wait at the old side`;
}

async function ask(paths: MigrationPaths, request: ControlRequest): Promise<unknown> {
  await readPlan(paths);
  return await askControl(paths.socket, request);
}

async function pause(output: Output, paths: MigrationPaths): Promise<void> {
  const plan = await readPlan(paths);
  const phase = await askControl(paths.socket, { verb: 'pause' });
  output.data({ phase });
  output.line(`${phase}: ${describePaused(plan)}`);
}

/** What becomes of what is written meanwhile. */
function describePaused({ method, sources }: Plan): string {
  if (sources.every(({ url }) => isFile(url))) return 'holdfast migrate resume reads on from there';
  return method === 'scan'
    ? 'holdfast migrate resume copies everything again, over what is there'
    : 'the sources’ backlogs keep what is written meanwhile, as far as they reach';
}

async function resume(output: Output, paths: MigrationPaths, { withoutGate }: Options): Promise<void> {
  const plan = await readPlan(paths);
  const withoutGates = (withoutGate ?? []).map((socket) => path.resolve(socket));
  if (await isAnswered(paths.socket)) {
    const phase = await askControl(paths.socket, { verb: 'resume', withoutGates });
    output.data({ phase });
    output.line(String(phase));
    return;
  }
  const { runMigration } = await import('./migrate-run.ts');
  await runMigration(output, paths, plan, withoutGates).catch(async (error: unknown) => {
    throw await behindCutOver(error, paths);
  });
}

/** Where there is no new side to go on with, there is a way back. */
async function behindCutOver(error: unknown, paths: MigrationPaths): Promise<unknown> {
  if (errorCode(error) !== 'REDIS_UNREACHABLE' || (await readProgress(paths))?.phase !== 'cut-over')
    return error;
  return RedisUnreachable(errorText(error), {
    hint: 'It was cut over. If the new side is lost for good, holdfast migrate abort lets writers go on with what the old side has.',
    cause: error,
  });
}

async function cutOver(
  output: Output,
  paths: MigrationPaths,
  { within, gate, undo }: Options,
): Promise<number> {
  if (undo) {
    const request: ControlRequest = { verb: 'undo', ...(within === undefined ? {} : { withinMs: within }) };
    const plan = await readPlan(paths);
    const undone = (await askControl(paths.socket, request)) as { phase: string; wasFollowed: boolean };
    output.data(undone);
    output.line(
      `writers go on at the old side${undone.wasFollowed ? ', and it is followed again' : describeMixed(plan)}`,
    );
    return 0;
  }
  const gates = (gate ?? []).map((socket) => path.resolve(socket));
  const request: ControlRequest = {
    verb: 'cut-over',
    gates,
    ...(within === undefined ? {} : { withinMs: within }),
  };
  const result = (await ask(paths, request)) as CutOverResult;
  output.data(result);
  const { heldMs, keys, notMoved, notFollowed } = result;
  const counted = keys === null ? '' : `; ${keys.target} keys that do not expire are on both sides`;
  output.line(
    `everything is applied: it took ${heldMs.toFixed(1)} ms from the moment that writers were held${counted}`,
  );
  for (const each of notMoved)
    output.note(
      `${output.colors.yellow('warning:')} its clients wait, they could not be moved: ${each}. The same command again moves them. ${goneForGood}`,
    );
  if (notFollowed !== null)
    output.note(
      `${output.colors.yellow('warning:')} --undo would lose what is written at the target from now on: ${notFollowed}`,
    );
  const direct = notFollowed === null ? 'are refused' : 'wait';
  output.line(
    gates.length > 0
      ? `clients of the gates go on at the target; writes at the old side directly ${direct}: then holdfast migrate finish`
      : `writes at the old side ${direct}: let the clients connect to the target now, then holdfast migrate finish`,
  );
  return notMoved.length === 0 ? 0 : 3;
}

/** What becomes of what was written at the target, where the old side could not follow it. */
function describeMixed({ method, isAlone }: Plan): string {
  const lost = ', which lacks what was written at the target meanwhile';
  if (method === 'scan') return `${lost}; everything is copied and compared again`;
  if (isAlone) return `${lost}; that is removed there, and everything is copied anew`;
  return `${lost}; the target holds other data, from which that can’t be told: this migration ends, and holdfast migrate abort gives it up`;
}

async function finish(output: Output, paths: MigrationPaths, { release }: Options): Promise<number> {
  const { open, left } = (await ask(paths, { verb: 'finish', release: release === true })) as {
    open: string[];
    left: string | null;
  };
  output.data({ finished: true, open, left });
  if (left !== null) output.note(`${output.colors.yellow('warning:')} ${left}`);
  for (const each of open)
    output.note(`${output.colors.yellow('warning:')} it can still take writes: ${each}`);
  output.line(
    release
      ? 'finished; the old side takes writes again'
      : 'finished; the old side answers writes with NOREPLICAS',
  );
  return open.length === 0 ? 0 : 3;
}

async function abort(output: Output, paths: MigrationPaths): Promise<number> {
  const plan = await readPlan(paths);
  const ended = (await isAnswered(paths.socket))
    ? ((await askControl(paths.socket, { verb: 'abort' })) as Abandoned)
    : await abandon(plan, paths);
  output.data({ aborted: true, ...ended });
  for (const each of [ended.missing, ended.left])
    if (each !== null) output.note(`${output.colors.yellow('warning:')} ${each}`);
  output.line(`aborted: writers go on at the old side; ${describeStays(ended.stays)}`);
  return ended.missing === null ? 0 : 3;
}

function describeStays({ copied, keys }: Abandoned['stays']): string {
  if (copied === 'nothing') return 'nothing of it is at the target';
  if (copied === 'unknown') return 'the target does not answer, so that nobody can say what is there of it';
  const there = keys === null ? '' : `, which has ${keys} ${keys === 1 ? 'key' : 'keys'}`;
  return `what was copied is still at the target${there}`;
}

async function abandon(plan: Plan, paths: MigrationPaths): Promise<Abandoned> {
  const { abandonMigration } = await import('../migrate/abandon.ts');
  const { sourceAddress, targetPlace } = await import('./migrate-access.ts');
  const servers = plan.sources.filter(({ url }) => !isFile(url));
  const oldSide = servers.map((source) => sourceAddress(source.url, source));
  return await abandonMigration(plan, paths, { target: await targetPlace(plan.target), oldSide });
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('Say a duration: 5s.');
  return ms;
}
