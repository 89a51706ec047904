/**
 * Whether an earlier, interrupted run has taken over everything already. Until the agent runs holdfast starts nothing, and the
 * agent is started behind the last step: so who finds something that holdfast started has nothing left to take over.
 */
import { recordedPid } from '../../process/supervised-process.ts';
import type { Spec } from '../../spec/spec.ts';
import type { StatePaths, UnitPaths } from '../state/paths.ts';
import { runsAsTaken } from '../state/taken-over.ts';
import type { AdoptionFacts } from './facts.ts';

/** The ids of what runs on this host and was started by holdfast, by what lies in the state directory. */
export function startedBefore(spec: Spec, host: string, paths: StatePaths): string[] {
  const idsOf = (places: readonly { id: string; host: string }[], of: (id: string) => UnitPaths) =>
    places.filter((place) => place.host === host && isStarted(of(place.id))).map(({ id }) => id);
  return [
    ...idsOf(spec.members, paths.member),
    ...idsOf(spec.sentinels, paths.sentinel),
    ...idsOf(spec.gates, paths.gate),
  ];
}

function isStarted(paths: UnitPaths): boolean {
  return recordedPid(paths.record) !== undefined && !runsAsTaken(paths);
}

/** No server or Sentinel of this host is left that is not holdfast's. */
export function isAllTakenOver({
  host,
  members,
  sentinels,
  started,
}: Pick<AdoptionFacts, 'host' | 'members' | 'sentinels' | 'started'>): boolean {
  const all = [...members, ...sentinels].filter(({ place }) => place.host === host);
  return (
    started.length > 0 &&
    all.every(({ place, running, problem }) => {
      const isNobody = running === null && problem === null;
      return isNobody || running?.taken === true || started.includes(place.id);
    })
  );
}
