import { hasVoters } from '../../topology/own-word.ts';
import { type Check, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

export const quorum: Check<DeploymentFacts> = {
  id: 'quorum',
  why: 'Without a quorum and a majority, nobody orders a failover when the primary goes.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/',
  look: ({ spec, sentinels }) => {
    if (!hasVoters(spec)) return [ok(`there are no Sentinels: ${whoDecides(spec)}`)];
    return sentinels
      .filter(({ reachable }) => reachable)
      .map(({ place, quorumOk, quorumReason }) =>
        quorumOk
          ? ok(quorumReason, place.id)
          : {
              severity: 'critical',
              subject: place.id,
              found: quorumReason,
              fix: 'Bring the missing Sentinels back; see the checks named reachable.',
            },
      );
  },
};

/** Where nobody votes. */
function whoDecides({ mirror }: DeploymentFacts['spec']): string {
  return mirror?.onSplit === 'serve'
    ? 'the next member leads by itself when the one that leads is lost, on a split on both sides (mirror.onSplit: serve)'
    : 'who leads is a person’s to say (holdfast switchover, failover)';
}
