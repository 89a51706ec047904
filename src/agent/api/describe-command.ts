/** What events say of a command: what was asked for, and that it failed. Pure. */
import { errorCode, errorText } from '../../base/errors.ts';
import type { EventKind } from '../state/event-kinds.ts';
import type { Commanded } from './command-options.ts';

/** Changes nothing, and is no job. */
export function isQuestion(asked: Commanded): boolean {
  if (asked.command === 'backups') return true;
  if (asked.command === 'apply') return asked.options.dryRun === true;
  return asked.command === 'restore' && 'facts' in asked.options;
}

export function describeCommand(asked: Commanded): string {
  switch (asked.command) {
    case 'switchover':
      return asked.options.to === undefined ? 'a switchover' : `a switchover to ${asked.options.to}`;
    case 'failover':
      return asked.options.to === undefined ? 'a failover' : `a failover to ${asked.options.to}`;
    case 'restart':
      return `a restart of ${asked.options.member ?? 'all members of this host'}`;
    case 'apply':
      return `the spec in ${asked.options.file} to be applied`;
    case 'restore':
      return 'facts' in asked.options ? 'what a restore must fit' : `a restore of ${asked.options.backup}`;
    case 'pause':
      return 'a pause of automatic actions';
    case 'resume':
      return 'automatic actions to go on';
    case 'mirror':
      return `${asked.options.to} of the mirror ${asked.options.name}`;
    case 'backups':
      return 'a look at the backups';
    case 'down':
      return 'everything on this host to be stopped';
  }
}

/** What is told of a command that threw. */
export function failureOf(asked: Commanded, error: unknown): { kind: EventKind; text: string } {
  const text = errorText(error);
  const code = errorCode(error);
  const said = code === undefined ? text : `${text} (${code})`;
  if (asked.command === 'restore') {
    // It is given up in order only before the primary is pointed at the data; after that it is told what that came to.
    const nothing = code === 'OPERATION_ABORTED' ? 'nothing was restored: ' : '';
    return { kind: 'restore-failed', text: `${nothing}${said}` };
  }
  if (code === 'OPERATION_ABORTED') return { kind: 'given-up', text };
  return { kind: 'change-failed', text: `${describeCommand(asked)}, which was asked for, failed: ${said}` };
}
