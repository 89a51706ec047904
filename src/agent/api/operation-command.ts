import type { ApiOperation } from '../../api/jobs.ts';
import type { CommandOperation } from '../jobs/command-jobs.ts';
import type { Commanded } from './command-options.ts';

/** The command of the command line that does the same, for what the agent does itself. */
export function operationCommand(operation: Exclude<ApiOperation, CommandOperation>): Commanded {
  switch (operation.kind) {
    case 'switchover':
    case 'failover': {
      const { kind: command, to } = operation;
      return { command, options: to === undefined ? {} : { to } };
    }
    case 'restart': {
      const { process: member, acceptDataLoss = false } = operation;
      return { command: 'restart', options: { acceptDataLoss, ...(member === undefined ? {} : { member }) } };
    }
    case 'pause':
    case 'resume':
      return { command: operation.kind, options: {} };
  }
}
