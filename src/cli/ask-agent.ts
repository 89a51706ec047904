import type { Command as AgentCommand } from '../agent/api/agent-api.ts';
import { interruptible } from './interrupt.ts';
import { interruptedChange } from './interrupted.ts';
import type { Output } from './output.ts';
import { openTarget, type TargetOptions } from './target.ts';

/** Those that the agent gives up when nobody waits for them any more. */
const changes: readonly AgentCommand[] = ['switchover', 'failover', 'restart', 'apply'];

/**
 * Has the agent carry out a command; its steps go to stderr as they happen.
 * @throws OPERATION_ABORTED with what became of it, when a signal interrupts a change
 */
export async function askAgent<Result>(
  output: Output,
  file: string,
  options: TargetOptions,
  command: AgentCommand,
  body: Record<string, unknown> = {},
): Promise<Result> {
  const { agent } = await openTarget(file, options);
  const sinceMs = Date.now();
  const run = async (signal?: AbortSignal) => {
    const say = (step: string) => output.note(`  ${output.colors.dim(step)}`);
    return (await agent.run(command, body, say, signal)) as Result;
  };
  if (!changes.includes(command)) return run();
  return interruptible((signal) =>
    run(signal).catch(async (error) => {
      if (!signal.aborted) throw error;
      output.note('Interrupted: the agent puts things in order first. Ctrl-C again waits for nothing.');
      throw await interruptedChange(agent, command, sinceMs, error);
    }),
  );
}
