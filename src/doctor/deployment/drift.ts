import { type Check, type Finding, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

export const drift: Check<DeploymentFacts> = {
  id: 'drift',
  why: 'What CONFIG SET or ACL SETUSER changed is of that server only: it is gone when another one becomes primary.',
  link: 'https://redis.io/docs/latest/commands/config-set/',
  look: ({ drift: found }): Finding[] => {
    if (found === null) return [];
    if (found.length === 0) return [ok('members run with what the spec says')];
    const fix = 'holdfast apply undoes it; holdfast apply --adopt-drift takes it into the spec.';
    return found.map(({ member, text }) => ({ severity: 'warning', subject: member, found: text, fix }));
  },
};
