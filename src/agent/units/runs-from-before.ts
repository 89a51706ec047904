import { OutputOwners } from '../../process/output-owners.ts';
import { recordedPid } from '../../process/supervised-process.ts';
import type { Spec } from '../../spec/spec.ts';
import type { StatePaths } from '../state/paths.ts';

/** Whether a process of what the spec places on this host still runs from an earlier agent. */
export function runsFromBefore(spec: Spec, host: string, paths: StatePaths): boolean {
  const owners = new OutputOwners();
  const units = [
    ...spec.members.map((place) => ({ place, files: paths.member(place.id) })),
    ...spec.sentinels.map((place) => ({ place, files: paths.sentinel(place.id) })),
    ...spec.gates.map((place) => ({ place, files: paths.gate(place.id) })),
  ];
  return units.some(({ place, files: { record, log } }) => {
    return place.host === host && (recordedPid(record) !== undefined || owners.of(log) !== undefined);
  });
}
