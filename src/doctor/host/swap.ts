import { describeSize } from '../../base/size.ts';
import { type Check, ok, skipped } from '../check.ts';
import { type HostFacts, memoryField } from './host-facts.ts';

export const swap: Check<HostFacts> = {
  id: 'swap',
  why: 'Swap that is in use means that memory has run out before: the next time it may be Redis that waits for the disk.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/admin/',
  look: (facts) => {
    const total = memoryField(facts, 'SwapTotal');
    const free = memoryField(facts, 'SwapFree');
    if (total === undefined || free === undefined) return [skipped('/proc/meminfo does not tell about swap')];
    if (total === 0) return [ok('there is no swap')];
    const used = total - free;
    if (used <= total / 10) return [ok(`${describeSize(used)} of ${describeSize(total)} swap is in use`)];
    return [
      {
        severity: 'warning',
        found: `${describeSize(used)} of ${describeSize(total)} swap is in use`,
        fix: 'Find what takes the memory, give the machine more, or lower redis.maxMemory.',
      },
    ];
  },
};
