import {
  cutOffTakesNoneAfter,
  noDrops,
  nothingLost,
  onlyUncertain,
  promotions,
  waitsAtMost,
} from '../promises.ts';
import type { Scenario } from '../scenario.ts';

/** `redis.minReplicasMaxLag` of the testbed, and how much later Redis may notice: it looks, and counts, once a second. */
const maxLagMs = 5000;
const noticeMs = 2500;
/** How long the cut lasts at least: also without a limit of its own, the cut-off primary has time to take writes. */
const lastsMs = 9000;

export const partition: Scenario = {
  name: 'partition',
  given: 'three hosts with clients at the gate of each, and minReplicasMaxLag 5 s',
  when: 'the network cuts the primary’s host off from the others, and heals later',
  thenHolds: ({ durability }) => [
    promotions(1),
    cutOffTakesNoneAfter(maxLagMs + noticeMs),
    ...(durability === 'replicated' ? [nothingLost] : []),
    noDrops,
    onlyUncertain,
    waitsAtMost(10_000, 'gate.hold'),
  ],
  hosts: 'three',
  live: { safe: false, why: 'what the cut-off primary takes in the first seconds is lost' },
  sections: { redis: { minReplicasMaxLag: '5s' } },
  async act(stage) {
    const primary = await stage.primary();
    const host = await stage.hostOf(primary);
    await stage.inject(`host ${host} with ${primary}, the primary, is cut off`, () => stage.cutOffHost(host));
    await stage.anotherPrimaryThan(primary);
    await stage.writesGoOn();
    await stage.untilSinceStrike(lastsMs);
    stage.reconnectHost(host);
  },
};
