import { type Check, ok } from '../check.ts';
import { type DeploymentFacts, liveMembers } from './facts.ts';

export const maxMemory: Check<DeploymentFacts> = {
  id: 'max-memory',
  why: 'Without maxmemory Redis grows until the kernel kills it, which looks like a crash and loses what was not saved.',
  link: 'https://redis.io/docs/latest/develop/reference/eviction/',
  look: (facts) =>
    liveMembers(facts).map(({ place, config }) =>
      Number(config['maxmemory']) > 0
        ? ok(`maxmemory is ${config['maxmemory']} bytes`, place.id)
        : {
            severity: 'warning',
            subject: place.id,
            found: 'maxmemory is not set',
            fix: 'Set redis.maxMemory in the spec (holdfast size helps), then holdfast apply.',
          },
    ),
};
