import { hasVoters } from '../../topology/own-word.ts';
import { type Check, type Finding, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

export const spread: Check<DeploymentFacts> = {
  id: 'spread',
  why: 'What stands on one host falls with it: the majority of Sentinels, and at least two members, need different ones.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/',
  look: ({ spec }) => {
    const findings: Finding[] = [];
    const [sentinelHost, most] = fullest(spec.sentinels);
    if (most > spec.sentinels.length / 2) {
      findings.push({
        severity: 'warning',
        found: `${most} of ${spec.sentinels.length} Sentinels are on host ${sentinelHost}: with it goes the majority`,
        fix: 'Name three hosts or more under sentinel.on.',
      });
    }
    const hosts = new Set(spec.members.map(({ host }) => host));
    if (spec.members.length > 1 && hosts.size === 1) {
      findings.push({
        severity: 'warning',
        found: `all ${spec.members.length} members are on host ${[...hosts][0]}`,
        fix: 'Name several hosts under redis.on. For development one machine is fine.',
      });
    }
    return findings.length > 0
      ? findings
      : [ok(`members${hasVoters(spec) ? ' and Sentinels' : ''} are spread over hosts`)];
  },
};

function fullest(places: readonly { host: string }[]): [host: string, count: number] {
  const counts = new Map<string, number>();
  for (const { host } of places) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0] ?? ['', 0];
}
