import { describeSize } from '../../base/size.ts';
import { memoryFactor } from '../../spec/sizing.ts';
import { type Check, ok, skipped } from '../check.ts';
import { type HostFacts, membersHere, memoryField } from './host-facts.ts';

export const memory: Check<HostFacts> = {
  id: 'memory',
  why: 'While a save runs, memory may double: a machine without that room kills the server that it was bought for.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/admin/',
  look: (facts) => {
    const { maxMemoryBytes } = facts.spec.redis;
    const total = memoryField(facts, 'MemTotal');
    const members = membersHere(facts);
    if (total === undefined) return [skipped('/proc/meminfo does not tell how much memory there is')];
    if (maxMemoryBytes === null)
      return [skipped('redis.maxMemory is not set, so nothing tells how much will be needed')];
    const wanted = members * maxMemoryBytes * memoryFactor;
    const sum = `${members} members of ${describeSize(maxMemoryBytes)} want ${describeSize(wanted)} (${memoryFactor} times)`;
    if (total >= wanted) return [ok(`${describeSize(total)} of memory; ${sum}`)];
    const enough = total >= members * maxMemoryBytes * 1.2;
    return [
      {
        severity: enough ? 'warning' : 'critical',
        found: `${describeSize(total)} of memory, but ${sum}`,
        fix: `Lower redis.maxMemory to ${describeSize(total / members / memoryFactor)}, or give the machine more.`,
      },
    ];
  },
};
