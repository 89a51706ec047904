import type { Command } from 'commander';
import { readCount } from './bench-options.ts';
import { benchAction } from './bench-run.ts';
import { type CommonOptions, verb } from './verb.ts';

interface IdleOptions extends CommonOptions {
  seconds: string;
  settle: string;
}

/** Promised, in percent of a core and in bytes. */
const agentCpuPercent = 2;
const memoryBytes = 120e6;

export function idleVerb(): Command {
  const command = verb('idle', 'what agent, gate and servers cost while nobody uses them', [
    ['holdfast bench idle', 'over a minute'],
    ['holdfast bench idle --seconds 10 --json', 'quicker, as data'],
  ])
    .option('--seconds <count>', 'how long it is looked at', '60')
    .option('--settle <count>', 'seconds that it has before, to be done with its start', '20');
  return benchAction<IdleOptions>(command, async (options, context) => {
    const { benchIdle } = await import('../bench/idle.ts');
    const { idleResult } = await import('../bench/idle-page.ts');
    const report = await benchIdle(
      {
        seconds: readCount('--seconds', options.seconds),
        settleSeconds: readCount('--settle', options.settle, 0),
      },
      context,
    );
    const own = report.processes.filter(({ id }) => id === 'agent' || id.startsWith('gate'));
    const tooMuch = own.some(
      (each) => each.memoryBytes > memoryBytes || (each.id === 'agent' && each.cpuPercent > agentCpuPercent),
    );
    return { ...idleResult(report), exitStatus: tooMuch ? 3 : 0 };
  });
}
