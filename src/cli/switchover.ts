import type { Command } from 'commander';
import type { SwitchoverResult } from '../agent/change/switchover.ts';
import { askAgent } from './ask-agent.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface SwitchoverOptions extends CommonOptions {
  stateDir?: string;
  to?: string;
}

export function switchoverVerb(): Command {
  return verb('switchover', 'move the primary elsewhere: no client error, no lost write', [
    ['holdfast switchover', 'to the replica that the Sentinels choose'],
    ['holdfast switchover --to redis-2', 'to this one'],
  ])
    .argument(...specArgument)
    .option('--to <member>', 'the member that becomes primary')
    .addOption(stateDirOption())
    .action(
      action<SwitchoverOptions>(async (output, [file = ''], options) => {
        const result = await askAgent<SwitchoverResult>(output, file, options, 'switchover', {
          to: options.to,
          askedMsAgo: performance.now(),
        });
        const { from, to, heldMs, tookMs } = result;
        if (from === to) output.line(`${to} is primary already; nothing was changed`);
        else
          output.line(
            `${from} → ${to}: writes waited ${heldMs} ms, all settled after ${Math.round(tookMs)} ms`,
          );
        output.data(result);
      }, 'any-host'),
    );
}
