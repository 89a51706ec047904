import { type Check, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

export const quorum: Check<DeploymentFacts> = {
  id: 'quorum',
  why: 'Without a quorum and a majority, nobody orders a failover when the primary goes.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/',
  look: ({ sentinels }) =>
    sentinels
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
      ),
};
