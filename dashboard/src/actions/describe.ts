/** What can be asked for, in words. Pure. */
import type { ApiJob, ApiOperation } from '../../../src/api/jobs.ts';
import type { ApiView } from '../../../src/api/view.ts';

interface Words {
  /** On the button that opens it, and over the dialogue. */
  title: string;
  /** On the button that does it. */
  go: string;
  /** It interrupts something, or can't be undone. */
  grave: boolean;
}

export function wordsOf(operation: ApiOperation): Words {
  switch (operation.kind) {
    case 'switchover':
      return {
        title: 'Switch over',
        go: `Switch over to ${operation.to ?? 'the best replica'}`,
        grave: false,
      };
    case 'failover':
      return { title: 'Force a failover', go: 'Force a failover', grave: true };
    case 'restart':
      return {
        title: 'Restart',
        go: `Restart ${operation.process ?? 'all members, one by one'}`,
        grave: true,
      };
    case 'pause':
      return { title: 'Pause automatic actions', go: 'Pause', grave: false };
    case 'resume':
      return { title: 'Resume automatic actions', go: 'Resume', grave: false };
    case 'backup':
      return { title: 'Take a backup', go: 'Take a backup now', grave: false };
    case 'verify':
      return { title: 'Verify a backup', go: 'Verify it', grave: false };
    case 'restore':
      return { title: 'Restore a backup', go: 'Restore it', grave: true };
    case 'doctor':
      return { title: 'Run doctor', go: 'Run doctor now', grave: false };
    case 'drill':
      return { title: 'Run a drill', go: `Run ${operation.scenario}`, grave: false };
  }
}

/** What a job is about, beside its kind: a member, a backup. */
export function aboutOf({ request }: Pick<ApiJob, 'request'>): string {
  const about =
    request['to'] ?? request['process'] ?? request['member'] ?? request['backup'] ?? request['scenario'];
  return typeof about === 'string' ? about : '';
}

/** What the page sees after the end, beside what the job says of itself. */
export function verdictOf(
  operation: ApiOperation,
  job: ApiJob,
  view: ApiView,
): { good: boolean; text: string } {
  if (job.state !== 'done')
    return { good: false, text: `${view.name} is ${view.state}. ${sentencesOf(view)}`.trim() };
  const to = operation.kind === 'switchover' ? operation.to : undefined;
  if (to !== undefined && view.primary !== to) {
    return { good: false, text: `The primary is ${view.primary ?? 'not known'}, not ${to}.` };
  }
  if (operation.kind === 'pause' || operation.kind === 'resume') {
    const asWanted = view.paused === (operation.kind === 'pause');
    return { good: asWanted, text: `Automatic actions are ${view.paused ? 'paused' : 'going on'}.` };
  }
  const primary = view.primary === null ? 'there is no primary' : `${view.primary} is primary`;
  const good = view.state === 'healthy';
  return { good, text: `${view.name} is ${view.state}, ${primary}. ${sentencesOf(view)}`.trim() };
}

function sentencesOf({ problems }: ApiView): string {
  return problems
    .slice(0, 3)
    .map((text) => `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`)
    .join(' ');
}
