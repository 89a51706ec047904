/** Back to the holdfast that was there before, on all hosts. Pure. */
import { FleetRefused } from '../errors.ts';
import type { HostFacts } from '../facts/host-facts.ts';
import { turnsOf } from './plan.ts';
import type { Plan, TurnStep } from './steps.ts';

/**
 * The build that all hosts have as their present or previous one, and not all as their present one. So it also ends an
 * upgrade that came halfway; done again, it goes forward again.
 * @throws FLEET_REFUSED
 */
export function rollbackBuild(facts: readonly HostFacts[]): string {
  const builds = new Set(facts.flatMap(({ current, previous }) => [current ?? [], previous ?? []].flat()));
  const isEverywhere = (build: string) =>
    facts.every(({ current, previous }) => current === build || previous === build);
  const found = [...builds].find(
    (build) => isEverywhere(build) && facts.some(({ current }) => current !== build),
  );
  if (found !== undefined) return found;
  const has = facts.map(
    ({ host, current, previous }) => `${host}: ${current ?? 'none'}, before ${previous ?? 'none'}`,
  );
  throw FleetRefused(`there is no holdfast that all hosts had before: ${has.join('; ')}`, {
    hint: 'A host keeps the build that it had before the present one. Any other: run apply of that version.',
  });
}

export function planRollback(facts: readonly HostFacts[], build: string, primaryHost: string | null): Plan {
  const prepare = facts.map(({ host, current }) => ({
    host,
    steps: current === build ? [] : [{ kind: 'relink' as const, build, from: current }],
  }));
  const steps = new Map<string, TurnStep[]>(
    facts.map(({ host, agent }) => {
      const runsOther = agent !== null && agent.build !== build;
      return [host, runsOther ? [{ kind: 'reload', from: agent.build, places: [] }] : []];
    }),
  );
  return { prepare, turns: turnsOf(steps, primaryHost), addresses: [], notices: [] };
}
