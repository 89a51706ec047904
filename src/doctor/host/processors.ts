import { type Check, ok, skipped } from '../check.ts';
import { type HostFacts, processesHere } from './host-facts.ts';

export const processors: Check<HostFacts> = {
  id: 'processors',
  why: 'Each redis-server and each gate worker fills one core under load; without a spare one, Sentinels miss their ticks.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency/',
  look: (facts) => {
    const cores = [...(facts.read('/proc/cpuinfo') ?? '').matchAll(/^processor\s*:/gm)].length;
    if (cores === 0) return [skipped('/proc/cpuinfo does not list processors')];
    const processes = processesHere(facts);
    const gates = facts.spec.gates.filter(({ id }) =>
      processes.some((each) => each.startsWith(`${id} `)),
    ).length;
    const members = processes.filter((each) => each.startsWith('redis-')).length;
    const wanted = members + gates * facts.spec.gate.workers;
    const sum = `${cores} processors for ${members} members and ${gates * facts.spec.gate.workers} gate workers`;
    if (cores >= wanted) return [ok(sum)];
    return [
      {
        severity: 'warning',
        found: sum,
        fix: 'Use a larger machine, or spread the members over more hosts.',
      },
    ];
  },
};
