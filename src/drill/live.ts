/** Which drills may be run on a deployment that people depend on, and what they will do there. Pure. */
import { NotForLive } from './errors.ts';
import type { DrillSettings, LiveSpec, Scenario } from './scenario.ts';

/** @throws DRILL_NOT_FOR_LIVE when one was asked for by name that could do harm */
export function chooseLive(chosen: readonly Scenario[], spec: LiveSpec): Scenario[] {
  const safe = chosen.filter((each) => whyNotLive(each, spec) === null);
  const [unsafe] = chosen as [Scenario];
  if (safe.length > 0) return safe;
  throw NotForLive(`${unsafe.name} is not run on this live deployment: ${whyNotLive(unsafe, spec)}`, {
    hint: 'Without --against it runs on a deployment of its own. With --against all, those run that do no harm.',
  });
}

function whyNotLive({ live }: Scenario, spec: LiveSpec): string | null {
  return live.safe ? (live.butNot?.(spec) ?? null) : live.why;
}

/** What is about to happen, a sentence a line. */
export function announceLive(name: string, chosen: readonly Scenario[], settings: DrillSettings): string[] {
  const { clients, writesPerSecond, durationMs } = settings;
  const rate =
    writesPerSecond === null ? 'as fast as they are answered' : `${writesPerSecond} times a second`;
  return [
    `On ${name}, which others may depend on:`,
    ...chosen.map((scenario) => `  ${scenario.name}: ${scenario.when}. Safe, because ${scenario.live.why}.`),
    `During each, ${clients} clients write ${rate} for ${durationMs / 1000} s or more, to keys that begin with holdfast-drill: and are deleted afterwards.`,
  ];
}
