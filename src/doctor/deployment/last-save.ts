import { type Check, ok } from '../check.ts';
import { type DeploymentFacts, liveMembers } from './facts.ts';

export const lastSave: Check<DeploymentFacts> = {
  id: 'last-save',
  why: 'A save that fails stops writes, and new replicas and backups come from the same mechanism.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/',
  look: (facts) =>
    liveMembers(facts).map(({ place, info }) =>
      (info['rdb_last_bgsave_status'] ?? 'ok') === 'ok'
        ? ok('the last save worked', place.id)
        : {
            severity: 'critical',
            subject: place.id,
            found: 'the last background save failed',
            fix: 'See the member’s log: no memory for the fork (overcommit-memory), or no room on the disk.',
          },
    ),
};
