import type { Command } from 'commander';
import { askAgent } from './ask-agent.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface FailoverOptions extends CommonOptions {
  stateDir?: string;
  to?: string;
}

export function failoverVerb(): Command {
  return verb('failover', 'replace the primary now, without draining it', [
    ['holdfast failover', 'when the primary lives but can’t be used; otherwise use switchover'],
    ['holdfast failover --to redis-2', 'without Sentinels: who is to lead from now on'],
  ])
    .argument(...specArgument)
    .option('--to <id>', 'the member that is to be primary; without Sentinels also the one that is')
    .addOption(stateDirOption())
    .action(
      action<FailoverOptions>(async (output, [file = ''], options) => {
        const result = await askAgent<{ from: string; to: string }>(output, file, options, 'failover', {
          ...(options.to === undefined ? {} : { to: options.to }),
          askedMsAgo: performance.now(),
        });
        output.line(result.from === result.to ? `${result.to} leads alone` : `${result.from} → ${result.to}`);
        output.data(result);
      }, 'any-host'),
    );
}
