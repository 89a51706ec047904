import { type Check, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

export const backups: Check<DeploymentFacts> = {
  id: 'backups',
  why: 'Replicas copy a mistaken FLUSHALL within a millisecond: only a backup brings the data back.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/#backing-up-redis-data',
  look: ({ spec }) =>
    spec.backup === null
      ? [
          {
            severity: 'warning',
            found: 'the spec has no backup',
            mend: 'Add backup: { to: s3://bucket/prefix } to the spec.',
          },
        ]
      : [ok(`backups go to ${spec.backup.to}`)],
};
