/** The shape of the agent's API: what the command line and the dashboard may ask. */

import type { Report } from '../change/change-context.ts';
import type { DeploymentEvent } from '../state/event-log.ts';
import type { Status } from './status-answer.ts';

export const commandNames = [
  'down',
  'switchover',
  'failover',
  'restart',
  'pause',
  'resume',
  'apply',
  'restore',
  'mirror',
  'backups',
] as const;
export type Command = (typeof commandNames)[number];

export interface AgentApi {
  readonly commands: readonly Command[];
  /** Everything that is known in figures, as Prometheus reads it. @param status as the API tells it */
  metrics(status: Status): string;
  /** Events after `seq`; waits up to `waitMs` for the first when there is none yet. */
  events(seq: number, waitMs: number): Promise<DeploymentEvent[]>;
  /**
   * Runs a command and returns its result. @throws OPERATION_UNDER_WAY, OPERATION_ABORTED and the command's own errors.
   * @param body its options, which are looked at here. @throws also API_BAD_REQUEST
   * @param signal aborted when whoever asked went away: a planned change is then given up in order. `down` goes on.
   */
  run(command: Command, body: unknown, report: Report, signal: AbortSignal): Promise<unknown>;
}
