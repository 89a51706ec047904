import type { AgentClient } from '../agent/api/agent-client.ts';
import { errorCode, errorText } from '../base/errors.ts';
import type { Output } from './output.ts';

/**
 * Tells this host's agent that the store of backups is another than before, so that `status` and the events know. What was
 * done is done, whether it can be told or not; without an agent here there is nobody to tell.
 */
export async function tellBackups(
  output: Output,
  agent: AgentClient,
  what: { taken?: string; notGood?: string },
): Promise<void> {
  try {
    await agent.run('backups', what, () => {});
  } catch (error) {
    if (errorCode(error) !== 'NOT_RUNNING') output.note(`the agent could not be told: ${errorText(error)}`);
  }
}
