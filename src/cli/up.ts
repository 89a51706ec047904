import { type Command, Option } from 'commander';
import type { Status } from '../agent/api/status-answer.ts';
import { RestoreRefused } from '../agent/errors.ts';
import { findRedisServer } from '../agent/server-program.ts';
import { parseDuration } from '../base/duration.ts';
import { HoldfastError } from '../base/errors.ts';
import { shownIn } from '../base/shown.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { certificatesOf, keep } from './own-certificates.ts';
import { chooseHost, openTarget, type Target } from './target.ts';
import { showPlan } from './up-plan.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface UpOptions extends CommonOptions {
  detach?: boolean;
  host?: string;
  stateDir?: string;
  wait: string;
  restore?: string;
  dryRun?: boolean;
}

export function upVerb(): Command {
  return verb('up', 'start what the spec places on this host and keep it running', [
    ['holdfast up', 'run ./holdfast.yaml until Ctrl-C'],
    ['holdfast up prod.yaml --host a --detach', "host a's share, in the background"],
    ['holdfast up --detach --restore latest', 'a new deployment, with the data of the newest backup'],
  ])
    .argument(...specArgument)
    .option('--dry-run', 'show what would be done with the data that is here, and start nothing')
    .option('-d, --detach', 'run in the background; return when it is ready')
    .option('--host <id>', 'which host of the spec this is')
    .addOption(new Option('--wait <duration>', 'how long the first write may take').default('60s'))
    .option(
      '--restore <backup>',
      'once it is up, restore this, as holdfast restore does; only into an empty one',
    )
    .addOption(stateDirOption())
    .action(action<UpOptions>(up));
}

async function up(output: Output, [file = '']: string[], options: UpOptions): Promise<number> {
  const target = await openTarget(file, options);
  const host = chooseHost(target.spec, options.host);
  const readyWithinMs = parseDuration(options.wait);
  if (readyWithinMs === undefined)
    throw BadOption(`--wait: '${options.wait}' is no duration`, { hint: 'For example 90s or 5m.' });
  const running = await alreadyRuns(target, output);
  if (running !== null) {
    if (options.restore === undefined) return running.state === 'healthy' ? 0 : 3;
    throw RestoreRefused(`${target.spec.name} runs already, so nothing was restored`, {
      hint: `holdfast restore ${options.restore} ${file} restores into a deployment that runs.`,
    });
  }
  if (options.dryRun) return showPlan(output, target, host);
  await keep(target.spec, certificatesOf(target.spec));
  const run = { host, readyWithinMs, restore: options.restore ?? null };
  if (options.detach) return (await import('./up-detached.ts')).runDetached(output, target, run);
  // It says its version while the agent is loaded: a lost primary may wait for this one.
  const server = findRedisServer(target.spec.redis);
  // Told by whoever waits for it.
  server.catch(() => {});
  return (await import('./up-run.ts')).runForeground(output, target, { ...run, server });
}

/** A second `up` does no harm: it says what is there, with the exit status of `status`. Null when no agent runs. */
async function alreadyRuns({ agent, spec }: Target, output: Output): Promise<Status | null> {
  let status: Status;
  try {
    status = await agent.status();
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'NOT_RUNNING') return null;
    throw error;
  }
  output.line(
    `${spec.name} already runs and is ${status.state}; the primary is ${status.primary ?? 'unknown'}.`,
  );
  for (const problem of shownIn(status.problems)) output.line(`  ! ${problem}`);
  output.line('A changed spec is brought in with: holdfast apply');
  output.data(status);
  return status;
}
