/** Whether one run kept what was promised, and what it came to. Pure. */
import type { DrillRun } from './run.ts';

export function isKept({ judgements, trouble }: DrillRun): boolean {
  return trouble === null && judgements.every(({ held }) => held);
}

/** What one run came to, for whoever watches, or finds a series that was cut short. */
export function runInWords(run: DrillRun): string {
  const { account, lost, longestWaitMs, promotions } = run.finding;
  const broken = run.judgements
    .filter(({ held }) => !held)
    .map(({ promise, found }) => `${promise}: ${found}`);
  const word = isKept(run) ? 'kept' : `BROKEN (${[run.trouble ?? [], broken].flat().join('; ')})`;
  const who = promotions.map(({ member }) => member).join(', then ') || 'nobody';
  const wait = `longest wait ${Math.round(longestWaitMs)} ms`;
  return `${word}: ${account.acknowledged} writes, ${lost} lost, ${wait}, promoted: ${who}`;
}
