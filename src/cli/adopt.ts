import type { Command } from 'commander';
import { type Adoption, lookAtWhatRuns, takeOverWhatRuns } from '../agent/adopt/adopt.ts';
import type { AdoptionPlan } from '../agent/adopt/plan.ts';
import { isAllTakenOver } from '../agent/adopt/taken-before.ts';
import type { Status } from '../agent/api/status-answer.ts';
import type { ApplyResult } from '../agent/change/apply-spec.ts';
import { AdoptRefused, AlreadyRuns } from '../agent/errors.ts';
import { findRedisServer } from '../agent/server-program.ts';
import { runningAgent } from '../agent/state/state-lock.ts';
import { parseDuration } from '../base/duration.ts';
import { errorCode } from '../base/errors.ts';
import { pause } from '../base/retry.ts';
import { planLines } from './adopt-lines.ts';
import { confirm } from './confirm.ts';
import { credentialsFrom } from './credentials.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { chooseHost, openTarget, type Target } from './target.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface AdoptOptions extends CommonOptions {
  dryRun?: boolean;
  yes?: boolean;
  user?: string;
  passwordFile?: string;
  sentinelUser?: string;
  sentinelPasswordFile?: string;
  supervisorOff?: boolean;
  host?: string;
  stateDir?: string;
  wait: string;
}

/** `holdfast adopt`: servers and Sentinels that run become a deployment, without a restart. */
export function adoptVerb(): Command {
  return verb('adopt', 'take over servers and Sentinels that run, without a restart', [
    [
      'holdfast init --from redis://127.0.0.1:6379 --members 3',
      'first: the spec of a server that runs, with two more beside it',
    ],
    ['holdfast adopt --dry-run', 'what would be taken over, started and changed, and what speaks against it'],
    ['holdfast adopt --yes', 'do it; clients of the old address notice nothing'],
    ['holdfast restart --rolling', 'later: servers that were taken over begin anew with their own files'],
  ])
    .argument(...specArgument)
    .option('--dry-run', 'only look: change nothing, here or there')
    .option('-y, --yes', 'do not ask')
    .option('--user <user>', 'who may do everything at the servers (default with a password: default)')
    .option('--password-file <file>', 'the password for it, in a file that only its owner reads')
    .option('--sentinel-user <user>', 'the same at the Sentinels')
    .option('--sentinel-password-file <file>', 'the password there')
    .option('--supervisor-off', 'what started them (supervisord, monit…) was told not to start them again')
    .option('--host <id>', 'which host of the spec this is')
    .option('--wait <duration>', 'how long the new replicas may take to copy before the command ends', '60s')
    .addOption(stateDirOption())
    .action(action<AdoptOptions>(adopt));
}

async function adopt(output: Output, [file = '']: string[], options: AdoptOptions): Promise<number> {
  const readyWithinMs = parseDuration(options.wait);
  if (readyWithinMs === undefined)
    throw BadOption(`--wait: '${options.wait}' is no duration`, { hint: 'For example 90s or 5m.' });
  const target = await openTarget(file, options);
  const running = await statusOnceStarted(target);
  if (running !== null) {
    output.line(
      `${target.spec.name} is holdfast's already and is ${running.state}; holdfast status shows it.`,
    );
    output.data({ plan: null, adopted: false, status: running, changes: [] });
    return 0;
  }
  const adoption: Adoption = {
    spec: target.spec,
    host: chooseHost(target.spec, options.host),
    paths: target.paths,
    access: {
      servers: credentialsFrom(options.user, options.passwordFile),
      sentinels: credentialsFrom(options.sentinelUser, options.sentinelPasswordFile),
    },
    server: await findRedisServer(target.spec.redis),
    keepersOff: options.supervisorOff === true,
  };
  const { facts, plan } = await lookAtWhatRuns(adoption);
  if (isAllTakenOver(facts)) {
    throw AdoptRefused(`${target.spec.name} was taken over already, and its agent does not run`, {
      hint: 'holdfast up goes on with what runs. Nothing was changed.',
    });
  }
  for (const line of planLines(plan)) output.line(line);
  for (const warning of plan.warnings) output.note(`${output.colors.yellow('warning:')} ${warning}`);
  for (const { where, what, fix } of plan.refusals)
    output.note(`${output.colors.red('not yet:')} ${where}: ${what}. ${output.colors.cyan(fix)}`);
  if (options.dryRun) {
    output.data({ plan, adopted: false, status: null, changes: [] });
    return plan.refusals.length > 0 ? 3 : 0;
  }
  if (plan.refusals.length > 0) throw refused(plan, output.json);
  if (
    !(await confirm(output, `Take over ${plan.takes.map(({ id }) => id).join(', ')}?`, options.yes === true))
  ) {
    output.data({ plan, adopted: false, status: null, changes: [] });
    return 1;
  }
  await takeOverWhatRuns(adoption, facts, (step) => output.note(`  ${output.colors.dim(step)}`));
  return start(output, target, { plan, host: adoption.host, readyWithinMs });
}

const startsWithinMs = 10_000;

/** One that an interrupted run has just started is waited for. Null when no agent runs. @throws ALREADY_RUNS when it says nothing */
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

/** Null when no agent runs. */
async function runningStatus({ agent }: Target): Promise<Status | null> {
  try {
    return await agent.status();
  } catch (error) {
    if (errorCode(error) === 'NOT_RUNNING') return null;
    throw error;
  }
}

/** On a terminal they stand above already. */
function refused({ refusals }: AdoptionPlan, asJson: boolean): Error {
  const count = refusals.length === 1 ? 'something speaks' : `${refusals.length} things speak`;
  const all = refusals.map(({ where, what, fix }) => `${where}: ${what}. ${fix}`).join(' · ');
  return AdoptRefused(`nothing was taken over: ${count} against it${asJson ? `: ${all}` : ''}`, {
    hint: 'Nothing was changed. holdfast adopt --dry-run looks again.',
  });
}

/** Starts the agent, and brings what waits for replicas (min-replicas-to-write) once they have their copies. */
async function start(
  output: Output,
  target: Target,
  { plan, host, readyWithinMs }: { plan: AdoptionPlan; host: string; readyWithinMs: number },
): Promise<number> {
  const { startDetached } = await import('./up-detached.ts');
  const until = performance.now() + readyWithinMs;
  const { notReady } = await startDetached(output, target, { host, readyWithinMs });
  let status = await target.agent.status();
  while (status.state !== 'healthy' && performance.now() < until) {
    await pause(200);
    status = await target.agent.status();
  }
  const { name } = target.spec;
  if (status.state !== 'healthy') {
    output.note(`${name} is ${status.state}: ${status.problems.join('; ')}`);
    output.note(
      'It goes on by itself; holdfast status shows how far it is. When it is healthy: holdfast apply.',
    );
    output.data({ plan, adopted: true, status, changes: [] });
    return 3;
  }
  const body = { file: target.file, dryRun: false };
  const { changes } = (await target.agent.run('apply', body, () => {})) as ApplyResult;
  output.line(`${name} is healthy: ${plan.takes.map(({ id }) => id).join(', ')} ran on.`);
  output.line(
    'When it suits: holdfast restart --rolling, for what only a start brings. No client at the gate notices.',
  );
  output.data({ plan, adopted: true, status: await target.agent.status(), changes });
  return notReady === null ? 0 : 3;
}
