import { describeSize } from '../../base/size.ts';
import { diskFactor } from '../../spec/sizing.ts';
import { type Check, ok, skipped } from '../check.ts';
import { type HostFacts, membersHere } from './host-facts.ts';

const least = 2 ** 30;

export const disk: Check<HostFacts> = {
  id: 'disk',
  why: 'A save or a rewrite that finds no room stops writes (stop-writes-on-bgsave-error), and a full disk stops the AOF.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/',
  look: (facts) => {
    const { freeDiskBytes, spec, stateDir } = facts;
    if (freeDiskBytes === undefined) return [skipped(`the disk of ${stateDir} can't be looked at`)];
    const { maxMemoryBytes, persistence } = spec.redis;
    const factor = diskFactor(persistence);
    const wanted = Math.max(least, membersHere(facts) * (maxMemoryBytes ?? 0) * factor);
    const sum =
      maxMemoryBytes === null
        ? `${describeSize(wanted)} is the least`
        : `${describeSize(wanted)} are wanted (${factor} times maxMemory)`;
    if (freeDiskBytes >= wanted) return [ok(`${describeSize(freeDiskBytes)} free at ${stateDir}; ${sum}`)];
    return [
      {
        severity: freeDiskBytes < wanted / 3 ? 'critical' : 'warning',
        subject: stateDir,
        found: `${describeSize(freeDiskBytes)} free; ${sum}`,
        fix: 'Make room, move the state directory with --state-dir, or lower redis.maxMemory.',
      },
    ];
  },
};
