import { describeSize } from '../../base/size.ts';
import { backlogBytes } from '../../spec/sizing.ts';
import { type Check, ok } from '../check.ts';
import { type DeploymentFacts, liveMembers } from './facts.ts';

export const backlog: Check<DeploymentFacts> = {
  id: 'backlog',
  why: 'Redis’s default backlog of 1 MiB covers a moment: after it, each reconnecting replica copies the whole dataset.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/replication/',
  look: (facts) =>
    liveMembers(facts).map(({ place, config }) => {
      const size = Number(config['repl-backlog-size'] ?? 0);
      const wanted = backlogBytes(Number(config['maxmemory']) || null);
      if (size >= wanted) return ok(`the replication backlog is ${describeSize(size)}`, place.id);
      return {
        severity: 'warning',
        subject: place.id,
        found: `the replication backlog is ${describeSize(size)}; ${describeSize(wanted)} are wanted`,
        fix: 'Remove repl-backlog-size from redis.config, or raise it; then holdfast apply.',
      };
    }),
};
