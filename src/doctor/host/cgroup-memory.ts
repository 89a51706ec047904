import { describeSize } from '../../base/size.ts';
import { memoryFactor } from '../../spec/sizing.ts';
import { type Check, ok } from '../check.ts';
import { type HostFacts, membersHere, memoryField, numberIn } from './host-facts.ts';

/** Where version 2 and version 1 of control groups say it, as seen from inside. */
const files = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];

export const cgroupMemory: Check<HostFacts> = {
  id: 'cgroup-memory',
  why: 'A container’s limit counts like the machine’s memory: beyond it the kernel kills, without asking which process.',
  link: 'https://www.kernel.org/doc/html/latest/admin-guide/cgroup-v2.html',
  look: (facts) => {
    const limits = files.map((file) => numberIn(facts.read(file))).filter((limit) => limit !== undefined);
    const total = memoryField(facts, 'MemTotal') ?? Number.POSITIVE_INFINITY;
    const limit = Math.min(...limits);
    if (limit >= total || !Number.isFinite(limit)) return [ok('no control group limits the memory')];
    const wanted = membersHere(facts) * (facts.spec.redis.maxMemoryBytes ?? 0) * memoryFactor;
    if (facts.spec.redis.maxMemoryBytes === null) {
      return [
        {
          severity: 'warning',
          found: `the memory is limited to ${describeSize(limit)}, and redis.maxMemory is not set`,
          fix: 'Set redis.maxMemory well below the limit.',
        },
      ];
    }
    if (limit >= wanted)
      return [ok(`the memory is limited to ${describeSize(limit)}; ${describeSize(wanted)} are wanted`)];
    return [
      {
        severity: 'critical',
        found: `the memory is limited to ${describeSize(limit)}, but ${describeSize(wanted)} are wanted (${memoryFactor} times maxMemory)`,
        fix: 'Raise the limit, or lower redis.maxMemory.',
      },
    ];
  },
};
