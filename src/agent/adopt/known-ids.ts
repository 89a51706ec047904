/** By which ids the Sentinels of a deployment know each other, as those say it that run. Pure. */
import type { Found, RunningSentinel } from './facts.ts';

/** By the ids of the spec. One that does not run just then is known to its colleagues: it comes back as the one that it was. */
export function knownIds(
  sentinels: readonly Found<{ id: string; address: string; port: number }, RunningSentinel>[],
): Map<string, string> {
  const told = sentinels.flatMap(({ running }) => running?.colleagues ?? []);
  return new Map(
    sentinels.flatMap(({ place, running }): [id: string, runId: string][] => {
      if (running !== null) return [[place.id, running.sentinelId]];
      const found = told.find(({ address, port }) => address === place.address && port === place.port);
      return found === undefined ? [] : [[place.id, found.runId]];
    }),
  );
}
