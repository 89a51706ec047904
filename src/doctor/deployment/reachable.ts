import { type Check, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

export const reachable: Check<DeploymentFacts> = {
  id: 'reachable',
  why: 'A member or Sentinel that does not answer is one loss already taken: the next may be one too many.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/',
  look: ({ members, sentinels }) => [
    ...members.map(({ place, info, error }) => answer(place.id, info !== null, error)),
    ...sentinels.map(({ place, reachable: up, error }) => answer(place.id, up, error)),
  ],
};

function answer(id: string, up: boolean, error: string) {
  if (up) return ok('it answers', id);
  return {
    severity: 'critical' as const,
    subject: id,
    found: `it does not answer: ${error}`,
    fix: 'holdfast status and the log of its host say more; holdfast up starts what is missing.',
  };
}
