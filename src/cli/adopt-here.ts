/** `holdfast adopt` of what runs on this host: look, show, ask, do. */
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { type Adoption, lookAtWhatRuns, takeOverWhatRuns } from '../agent/adopt/adopt.ts';
import type { AdoptionPlan } from '../agent/adopt/plan.ts';
import { isAllTakenOver } from '../agent/adopt/taken-before.ts';
import type { Status } from '../agent/api/status-answer.ts';
import { AdoptRefused, AlreadyRuns } from '../agent/errors.ts';
import { findRedisServer } from '../agent/server-program.ts';
import { runningAgent } from '../agent/state/state-lock.ts';
import { errorCode } from '../base/errors.ts';
import { pause } from '../base/retry.ts';
import { dataDropIn } from '../render/data-drop-in.ts';
import { planLines, refusalLine, refusedFor } from './adopt-lines.ts';
import { type AdoptOptions, accessFrom } from './adopt-options.ts';
import { startTaken } from './adopt-start.ts';
import { confirm } from './confirm.ts';
import type { Output } from './output.ts';
import { chooseHost, openTarget, type Target } from './target.ts';

/** What `--json` prints. */
export interface AdoptAnswer {
  /** Null when the agent runs, or all was taken over before. */
  plan: AdoptionPlan | null;
  adopted: boolean;
  status: Status | null;
  changes: readonly unknown[];
}

export async function adoptHere(
  output: Output,
  file: string,
  options: AdoptOptions & { readyWithinMs: number },
): Promise<number> {
  const target = await openTarget(file, options);
  const answer = (some: Partial<AdoptAnswer>) =>
    output.data({ plan: null, adopted: false, status: null, changes: [], ...some });
  const running = await statusOnceStarted(target);
  if (running !== null) {
    output.line(
      `${target.spec.name} is holdfast's already and is ${running.state}; holdfast status shows it, and holdfast apply brings what of the spec is not there yet.`,
    );
    answer({ status: running });
    return 0;
  }
  const adoption = await adoptionOf(target, options);
  const { facts, plan } = await lookAtWhatRuns(adoption);
  if (isAllTakenOver(facts)) {
    // Whoever starts the agent in another way does so now.
    if (options.start) throw takenBefore(target);
    answer({});
    return 0;
  }
  for (const line of planLines(plan)) output.line(line);
  for (const warning of plan.warnings) output.note(`${output.colors.yellow('warning:')} ${warning}`);
  for (const refusal of plan.refusals) output.note(refusalLine(output, refusal));
  if (options.dryRun) {
    answer({ plan });
    return plan.refusals.length > 0 ? 3 : 0;
  }
  if (plan.refusals.length > 0) {
    const hint = 'Nothing was changed. holdfast adopt --dry-run looks again.';
    throw refusedFor(plan.refusals, output.json, hint);
  }
  if (!(await confirm(output, question(plan, options), options.yes === true))) {
    answer({ plan });
    return 1;
  }
  const report = (step: string) => output.note(`  ${output.colors.dim(step)}`);
  await takeOverWhatRuns(adoption, facts, report, options.usersOnly ? 'users' : null);
  if (options.usersOnly || !options.start) {
    if (!options.usersOnly && !options.accessStdin) warnOfUnit(output, target, plan);
    answer({ plan, adopted: !options.usersOnly });
    return 0;
  }
  const { readyWithinMs } = options;
  return startTaken(output, target, { plan, host: adoption.host, readyWithinMs });
}

/** Who starts the agent by systemd gives it the data folders; by ssh that is done there. */
function warnOfUnit(output: Output, { spec, paths }: Target, { takes }: AdoptionPlan): void {
  const folders = takes.map(({ folder }) => folder);
  const dropIn = dataDropIn(spec, folders, paths.root);
  if (dropIn === null) return;
  output.note(
    `${output.colors.yellow('warning:')} the unit that holdfast render systemd makes lets the agent write to its own state only, and data stays elsewhere. Before systemd starts it, write this to ${dropIn.file}, and say systemctl daemon-reload:`,
  );
  output.note(dropIn.text.trimEnd());
}

async function adoptionOf({ spec, paths }: Target, options: AdoptOptions): Promise<Adoption> {
  return {
    spec,
    host: chooseHost(spec, options.host),
    paths,
    access: options.accessStdin ? accessIn(await text(process.stdin)) : accessFrom(options),
    server: await findRedisServer(spec.redis),
    keepersOff: options.supervisorOff === true,
  };
}

const credentials = z.object({ username: z.string(), password: z.string() }).optional();

/** From the machine on which the command was said. */
function accessIn(json: string): Adoption['access'] {
  const { servers, sentinels } = z
    .object({ servers: credentials, sentinels: credentials })
    .parse(JSON.parse(json));
  return { servers, sentinels };
}

function question({ takes, starts, others }: AdoptionPlan, { usersOnly }: AdoptOptions): string {
  const taken = takes.map(({ id }) => id);
  if (usersOnly) return `Give ${[...taken, ...others].join(', ')} holdfast's users?`;
  if (taken.length > 0) return `Take over ${taken.join(', ')}?`;
  return `Start ${starts.map(({ id }) => id).join(', ')} beside what runs elsewhere?`;
}

function takenBefore({ spec }: Target): Error {
  return AdoptRefused(`${spec.name} was taken over already, and its agent does not run`, {
    hint: 'holdfast up goes on with what runs. Nothing was changed.',
  });
}

const startsWithinMs = 10_000;

/**
 * One that an interrupted run has just started is waited for. Null when no agent runs.
 * @throws ALREADY_RUNS when it says nothing
 */
async function statusOnceStarted(target: Target): Promise<Status | null> {
  const until = performance.now() + startsWithinMs;
  for (;;) {
    const owner = await runningAgent(target.paths.agentRecord);
    const status = await runningStatus(target);
    if (status !== null || owner === undefined) return status;
    if (performance.now() > until) {
      throw AlreadyRuns(`${target.spec.name} is being taken over, or its agent starts (pid ${owner.pid})`, {
        hint: 'Nothing was changed. holdfast status shows how far it is.',
      });
    }
    await pause(100);
  }
}

/** Null when no agent runs, or it does not listen yet. */
async function runningStatus({ agent }: Target): Promise<Status | null> {
  try {
    return await agent.status();
  } catch (error) {
    if (['NOT_RUNNING', 'AGENT_NOT_LISTENING'].includes(errorCode(error) ?? '')) return null;
    throw error;
  }
}
