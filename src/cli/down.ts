import { type Command, Option } from 'commander';
import { onAbort } from '../base/abort.ts';
import { HoldfastError } from '../base/errors.ts';
import { outliveOutput } from '../base/outlive-output.ts';
import { interruptible } from './interrupt.ts';
import type { Output } from './output.ts';
import { chooseHost, openTarget, type Target } from './target.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface DownOptions extends CommonOptions {
  host?: string;
  stateDir?: string;
  acceptDataLoss?: boolean;
}

export function downVerb(): Command {
  return verb('down', 'stop this host’s share, replicas first; nothing is lost', [
    ['holdfast down', 'stop ./holdfast.yaml'],
    ['holdfast down prod.yaml --host a', 'host a’s share, also when its agent is gone'],
    [
      'holdfast down prod.yaml',
      'from a machine that reaches the hosts by ssh: all of them, the primary’s last',
    ],
  ])
    .argument(...specArgument)
    .addOption(new Option('--host <id>', 'which host of the spec this is'))
    .option(
      '--accept-data-loss',
      'stop a member too that has the only copy of the data and no folder to keep it in',
    )
    .addOption(stateDirOption())
    .action(action<DownOptions>(down, 'in-turn'));
}

async function down(output: Output, [file = '']: string[], options: DownOptions): Promise<number> {
  const target = await openTarget(file, options);
  return await interruptible((signal) => {
    onAbort(signal, () =>
      output.note(
        `Interrupted: ${target.spec.name} is stopped all the same, to the end. Ctrl-C again waits for nothing.`,
      ),
    );
    return stopHere(output, target, options);
  });
}

/** Half of it stopped is of no use to anybody: what has begun goes on to its end, also where this process does it. */
async function stopHere(output: Output, target: Target, options: DownOptions): Promise<number> {
  // Also where an agent answers: whoever names a host that is not there meant something else.
  if (options.host !== undefined) chooseHost(target.spec, options.host);
  // Whoever has stopped reading.
  outliveOutput();
  let stoppedSome = false;
  const report = (line: string) => {
    stoppedSome = true;
    output.note(`  ${output.colors.dim(line)}`);
  };
  const stopped = await stopByAgent().catch((error) => {
    if (error instanceof HoldfastError && error.code === 'NOT_RUNNING') return false;
    throw error;
  });
  if (stopped) return say('stopped');
  // No agent: the processes that it left are ours to stop.
  const { stopLeftBehind } = await import('../agent/units/left-behind.ts');
  const count = await stopLeftBehind(
    target.spec,
    chooseHost(target.spec, options.host),
    target.paths,
    report,
  );
  // The agent may have ended, of a signal, when it had stopped everything and before it could say so.
  return say(count > 0 || stoppedSome ? 'stopped' : 'nothing of it was running');

  async function stopByAgent(): Promise<boolean> {
    await target.agent.run('down', { acceptDataLoss: options.acceptDataLoss === true }, report);
    return true;
  }

  function say(what: string): number {
    output.line(`${target.spec.name}: ${what}`);
    output.data({ name: target.spec.name, stopped: true, wasRunning: what === 'stopped' });
    return 0;
  }
}
