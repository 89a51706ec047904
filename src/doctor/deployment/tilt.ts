import { type Check, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

export const tilt: Check<DeploymentFacts> = {
  id: 'tilt',
  why: 'A Sentinel in TILT has seen time jump, and takes no part in a failover for 30 s.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/',
  look: ({ sentinels }) =>
    sentinels
      .filter(({ reachable }) => reachable)
      .map(({ place, tilt: tilted }) =>
        tilted
          ? {
              severity: 'critical',
              subject: place.id,
              found: 'it is in TILT',
              fix: 'Wait 30 s; if it comes back, the machine is overloaded or its clock is stepped.',
            }
          : ok('it is not in TILT', place.id),
      ),
};
