import { type Check, ok } from '../check.ts';
import { type DeploymentFacts, liveMembers } from './facts.ts';

export const savePoints: Check<DeploymentFacts> = {
  id: 'save-points',
  why: 'With persistence rdb and no save points nothing is ever saved: a restart of all members loses everything.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/',
  look: (facts) =>
    liveMembers(facts).map(({ place, config }) => {
      const saves = config['save'] ?? '';
      if (facts.spec.redis.persistence !== 'rdb' || saves !== '')
        return ok(`save points: ${saves || 'none'}`, place.id);
      return {
        severity: 'critical',
        subject: place.id,
        found: 'the spec says persistence: rdb, but the server has no save points',
        fix: 'holdfast apply brings those of the spec.',
      };
    }),
};
