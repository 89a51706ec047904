import type { Command } from 'commander';
import { askAgent } from './ask-agent.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface PauseOptions extends CommonOptions {
  stateDir?: string;
}

export function pauseVerb(): Command {
  return pausing('pause', 'suspend holdfast’s own automatic actions; the Sentinels go on', [
    ['holdfast pause', 'before working on a member by hand'],
  ]);
}

export function resumeVerb(): Command {
  return pausing('resume', 'resume what pause suspended', [['holdfast resume', 'after the work']]);
}

function pausing(command: 'pause' | 'resume', summary: string, examples: [string, string][]): Command {
  return verb(command, summary, examples)
    .argument(...specArgument)
    .addOption(stateDirOption())
    .action(
      action<PauseOptions>(async (output, [file = ''], options) => {
        const result = await askAgent<{ paused: boolean; changed: boolean }>(output, file, options, command);
        const state = result.paused ? 'paused' : 'active';
        output.line(`automatic actions are ${result.changed ? 'now' : 'already'} ${state}`);
        output.data(result);
      }, 'every-host'),
    );
}
