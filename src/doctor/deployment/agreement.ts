import { type Check, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

export const agreement: Check<DeploymentFacts> = {
  id: 'agreement',
  why: 'Sentinels that name different primaries send clients to different servers, and one of the two loses its writes.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/',
  look: ({ sentinels }) => {
    const live = sentinels.filter(({ reachable }) => reachable);
    const named = new Set(live.map(({ primary }) => primary));
    if (live.length === 0) return [];
    if (named.size === 1) return [ok(`all ${live.length} Sentinels name ${[...named][0]}`)];
    const found = live.map(({ place, primary }) => `${place.id} names ${primary}`).join(', ');
    return [
      {
        severity: 'critical',
        found,
        fix: 'Wait a minute if a failover has just run; if it stays, look for a network that is cut in two.',
      },
    ];
  },
};
