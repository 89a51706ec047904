import type { Command } from 'commander';
import { askAgent } from './ask-agent.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface FailoverOptions extends CommonOptions {
  stateDir?: string;
}

export function failoverVerb(): Command {
  return verb('failover', 'have the Sentinels replace the primary now, without draining it', [
    ['holdfast failover', 'when the primary lives but can’t be used; otherwise use switchover'],
  ])
    .argument(...specArgument)
    .addOption(stateDirOption())
    .action(
      action<FailoverOptions>(async (output, [file = ''], options) => {
        const result = await askAgent<{ from: string; to: string }>(output, file, options, 'failover', {
          askedMsAgo: performance.now(),
        });
        output.line(`${result.from} → ${result.to}`);
        output.data(result);
      }, 'any-host'),
    );
}
