/**
 * What a planned change has come to whose command was interrupted. The agent notices that it hung up and gives the change up in order,
 * or brings to its end what can't be given up any more; its events tell which.
 */
import type { AgentClient } from '../agent/api/agent-client.ts';
import { OperationAborted } from '../agent/errors.ts';
import type { EventKind } from '../agent/state/event-kinds.ts';
import type { DeploymentEvent } from '../agent/state/event-log.ts';
import { waitFor } from '../base/retry.ts';

const settlesWithinMs = 60_000;
const ends: readonly EventKind[] = [
  'given-up',
  'change-failed',
  'switchover',
  'failover',
  'restarted',
  'applied',
];
const nothing = 'nothing was begun';
const unknown = 'the agent has not said what became of it';

type Told = Pick<DeploymentEvent, 'kind' | 'text' | 'at'>;

/**
 * @param agent of this host, whose clock is ours. @param sinceMs when it was asked, in ms since 1970
 * @returns the error that says what became of it
 */
export async function interruptedChange(
  agent: Pick<AgentClient, 'status' | 'events'>,
  command: string,
  sinceMs: number,
  cause: unknown,
): Promise<Error> {
  const isOver = async () => (await agent.status()).operation === null;
  const said = await waitFor(isOver, { what: 'its end', withinMs: settlesWithinMs, everyMs: 100 })
    .then(async () => outcomeSince(await agent.events(0, 0), sinceMs))
    .catch(() => unknown);
  return OperationAborted(`${command} was interrupted: ${said}`, {
    hint: 'holdfast status and holdfast events show what there is now. It can be asked for again.',
    cause,
  });
}

/** @param events oldest first */
export function outcomeSince(events: readonly Told[], sinceMs: number): string {
  const since = events.filter(({ at }) => Date.parse(at) >= sinceMs);
  const end = since.findLast(({ kind }) => ends.some((each) => each === kind));
  if (end !== undefined) return end.text;
  return since.some(({ kind }) => kind === 'asked') ? unknown : nothing;
}
