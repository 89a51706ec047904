import { describeDuration } from '../../base/duration.ts';
import { type Check, ok, skipped } from '../check.ts';
import type { HostFacts } from './host-facts.ts';

/** A step longer ago has done what harm it could. */
const recentMs = 24 * 3_600_000;

export const clockSteps: Check<HostFacts> = {
  id: 'clock-steps',
  why: 'When a clock is set, Sentinels go into TILT (30 s in which they do nothing), and keys expire early or late.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/',
  look: ({ clockSteps: steps, nowMs }) => {
    if (steps === null) return [skipped('no agent has watched the clock here')];
    const recent = steps.filter(({ atMs }) => nowMs - atMs < recentMs);
    const last = recent.at(-1);
    if (last === undefined) return [ok('the clock was not set in the last 24 hours')];
    const times = recent.length === 1 ? '' : ` (${recent.length} times in 24 hours)`;
    return [
      {
        severity: 'warning',
        found: `${describeDuration(Math.max(0, nowMs - last.atMs))} ago ${last.text}${times}`,
        fix: 'Let chrony slew the clock: makestep only at boot. A virtual machine should not be suspended or moved while it serves.',
      },
    ];
  },
};
