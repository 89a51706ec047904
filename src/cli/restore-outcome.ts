/**
 * What a restore that was interrupted has come to: which data the deployment has. The agent tells it by its events, and only
 * those that came after this command asked count: the ones before are of other restores.
 */
import type { AgentClient } from '../agent/api/agent-client.ts';
import type { EventKind } from '../agent/state/event-kinds.ts';
import type { DeploymentEvent } from '../agent/state/event-log.ts';
import { defineError, errorCode } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';

export const RestoreInterrupted = defineError('RESTORE_INTERRUPTED', 1);

const settlesWithinMs = 60_000;
const ends: readonly EventKind[] = ['restored', 'restore-failed', 'restore-interrupted'];
const nothing = 'nothing was changed';
const unknown = 'holdfast status shows what the agent made of it';

type Agent = Pick<AgentClient, 'status' | 'events'>;

export class RestoreOutcome {
  readonly #agent: Agent;
  /** The number of the newest event when the agent was asked; null as long as it was not. */
  #askedAt: number | null = null;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** To be called before the agent is asked to change anything. */
  async beforeAsking(): Promise<void> {
    const events = await this.#agent.events(0, 0);
    this.#askedAt = events.at(-1)?.seq ?? 0;
  }

  /** @param cause why the command ended. @returns the error that says which data is there now. */
  async interrupted(cause: unknown): Promise<Error> {
    // It says how many keys there are of it, which nobody else knows.
    if (errorCode(cause) === 'RESTORE_KEYS_FAILED') return cause as Error;
    const said = this.#askedAt === null ? nothing : await this.#told(this.#askedAt);
    return RestoreInterrupted(`the restore was interrupted: ${said}`, {
      hint: 'It can be run again.',
      cause,
    });
  }

  /** The agent notices that we hung up, and puts the primary back; its last word is the answer. */
  async #told(askedAt: number): Promise<string> {
    try {
      await waitFor(async () => (await this.#agent.status()).operation === null, {
        what: 'the agent to put things back',
        withinMs: settlesWithinMs,
        everyMs: 100,
      });
      return outcomeIn(await this.#agent.events(askedAt, 0));
    } catch {
      return unknown;
    }
  }
}

/** @param events of the time since the agent was asked, oldest first */
export function outcomeIn(events: readonly Pick<DeploymentEvent, 'kind' | 'text'>[]): string {
  const end = events.findLast(({ kind }) => ends.some((each) => each === kind));
  if (end !== undefined) return end.text;
  return events.some(({ kind }) => kind === 'restore') ? unknown : nothing;
}
