import { oneFailover, waitsAtMost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

export const hostLost: Scenario = {
  name: 'host-lost',
  given: 'three hosts, and clients at the gates of those that stay',
  when: 'the primary’s host loses power, and comes back later',
  thenHolds: (settings) => [...oneFailover(settings), waitsAtMost(10_000, 'gate.hold')],
  hosts: 'three',
  live: { safe: false, why: 'a host is switched off' },
  async clientsOn(stage) {
    const lost = await stage.hostOf(await stage.primary());
    return stage.testbed.hosts.filter((host) => host !== lost);
  },
  async act(stage) {
    const primary = await stage.primary();
    const host = await stage.hostOf(primary);
    await stage.inject(`host ${host} with ${primary}, the primary, loses power`, () =>
      stage.testbed.loseHost(host),
    );
    await stage.anotherPrimaryThan(primary);
    await stage.writesGoOn();
    stage.mark(`host ${host} is switched on again`);
    await stage.testbed.returnHost(host);
  },
};
