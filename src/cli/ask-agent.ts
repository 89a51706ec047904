import type { Command as AgentCommand } from '../agent/api/agent-api.ts';
import type { Output } from './output.ts';
import { openTarget, type TargetOptions } from './target.ts';

/** Has the agent carry out a command; its steps go to stderr as they happen. */
export async function askAgent<Result>(
  output: Output,
  file: string,
  options: TargetOptions,
  command: AgentCommand,
  body: Record<string, unknown> = {},
): Promise<Result> {
  const { agent } = await openTarget(file, options);
  return (await agent.run(command, body, (step) => output.note(`  ${output.colors.dim(step)}`))) as Result;
}
