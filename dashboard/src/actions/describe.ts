/** What can be asked for, in words. Pure. */
import type { ApiJob, ApiOperation } from '../../../src/api/jobs.ts';
import type { ApiView } from '../../../src/api/view.ts';
import { plural } from '../data/format.ts';

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
      return {
        title: 'Force a failover',
        go: operation.to === undefined ? 'Force a failover' : `Force a failover to ${operation.to}`,
        grave: true,
      };
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

/** Whether a view shows what came of a job. Both times are of the agent that was asked. */
export function isAfter({ at }: Pick<ApiView, 'at'>, { endedAt }: Pick<ApiJob, 'endedAt'>): boolean {
  return endedAt !== null && Date.parse(at) >= Date.parse(endedAt);
}

/** What the page sees after the end, beside what the job says of itself. */
export function verdictOf(
  operation: ApiOperation,
  job: ApiJob,
  view: ApiView,
): { good: boolean; text: string } {
  if (job.state !== 'done')
    return { good: false, text: `${view.name} is ${view.state}. ${sentencesOf(view)}`.trim() };
  const told = verdictOfResult(operation, job.result);
  if (told !== null) return told;
  const moves = operation.kind === 'switchover' || operation.kind === 'failover';
  const to = moves ? (operation.to ?? targetIn(job.result)) : undefined;
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

/** The replica that was found to be the best. */
function targetIn(result: unknown): string | undefined {
  const { to } = (result ?? {}) as { to?: unknown };
  return typeof to === 'string' ? to : undefined;
}

/** Of what changes nothing in the deployment, its own result tells: a backup that is not good is no failed job. */
function verdictOfResult({ kind }: ApiOperation, result: unknown): { good: boolean; text: string } | null {
  if (typeof result !== 'object' || result === null) return null;
  const { id, good, kept, keys, critical, warnings, problems } = result as Readonly<Record<string, unknown>>;
  const holds = typeof keys === 'number' ? `, with ${plural(keys, 'key')}` : '';
  if (kind === 'backup' && typeof id === 'string') return { good: true, text: `${id} is taken${holds}.` };
  if (kind === 'verify' && typeof good === 'boolean') {
    const why = Array.isArray(problems) ? problems.slice(0, 3).join('; ') : '';
    return good
      ? { good, text: `The backup is good${holds}.` }
      : { good, text: `The backup is NOT good: ${why}` };
  }
  if (kind === 'drill' && typeof kept === 'boolean') {
    return {
      good: kept,
      text: kept
        ? 'Every promise was kept.'
        : 'Not every promise was kept: the page of the drill says which.',
    };
  }
  if (kind === 'doctor' && typeof critical === 'number' && typeof warnings === 'number') {
    return {
      good: critical + warnings === 0,
      text: `Found: ${critical} critical, ${plural(warnings, 'warning')}.`,
    };
  }
  return null;
}

function sentencesOf({ problems }: ApiView): string {
  return problems
    .slice(0, 3)
    .map((text) => `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`)
    .join(' ');
}
