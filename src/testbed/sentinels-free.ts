import { readFileSync } from 'node:fs';
import type { TestbedLog } from './testbed.ts';

/** What Sentinels add at random to the time in which they begin no other failover. */
const freeAfterMs = 1000;

/**
 * On three hosts the servers start some seconds after the Sentinels, which may have begun a failover by then. They
 * don't begin another within twice the failover timeout: a drill that came too early would measure that.
 */
export function sentinelsAreFree(logs: readonly TestbedLog[], failoverTimeoutMs: number): boolean {
  const texts = logs.flatMap(({ kind, file }) => (kind === 'sentinel' ? [readFileSync(file, 'utf8')] : []));
  const votes = texts.flatMap((text) => [
    ...text.matchAll(/^\d+:X (.{24}) \S \+(?:vote-for-leader|try-failover) /gm),
  ]);
  const lastMs = Math.max(0, ...votes.map(([, time]) => Date.parse(time as string)));
  return Date.now() > lastMs + 2 * failoverTimeoutMs + freeAfterMs;
}
