import type { Command } from 'commander';
import { askAgent } from './ask-agent.ts';
import { BadOption } from './errors.ts';
import { processAndSpec } from './process-argument.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface RestartOptions extends CommonOptions {
  stateDir?: string;
  rolling?: boolean;
  acceptDataLoss?: boolean;
}

export function restartVerb(): Command {
  return verb('restart', 'restart safely: replicas first, then a switchover, then the old primary', [
    ['holdfast restart', 'every member of this host, one after the other'],
    ['holdfast restart redis-2', 'one member, sentinel or gate'],
  ])
    .argument('[member]', 'the id of one process; all members when it is left out')
    .argument(...specArgument)
    .option('--rolling', 'all members, one after the other (the default without a member)')
    .option('--accept-data-loss', 'start a member that was refused because its data is gone or old, as it is')
    .addOption(stateDirOption())
    .action(
      action<RestartOptions>(async (output, args, options) => {
        const { id: member, file } = processAndSpec(args);
        if (member !== undefined && options.rolling) {
          throw BadOption(`--rolling restarts every member, and '${member}' names one`, {
            hint: 'Leave out one of them.',
          });
        }
        const body = { member, acceptDataLoss: options.acceptDataLoss === true };
        const result = await askAgent<{ restarted: string; primary: string | null }>(
          output,
          file,
          options,
          'restart',
          body,
        );
        output.line(`restarted ${result.restarted}; the primary is ${result.primary ?? 'unknown'}`);
        output.data(result);
      }, 'owner'),
    );
}
