import { nothingLost, promotions, waitsAtMost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

/** primary-hang does the same to the primary. Connections end with the gate that holds them. */
export const stoppedProcess: Scenario = {
  name: 'stopped-process',
  given: 'a primary and two replicas under load through one gate',
  when: 'a replica, a Sentinel and the gate are stopped (SIGSTOP), one after the other',
  thenHolds: () => [
    promotions(0),
    nothingLost,
    waitsAtMost(5000, 'what is stopped is replaced long before hangAfter'),
  ],
  hosts: 'one',
  live: { safe: false, why: 'every client of that gate is disconnected' },
  async act(stage) {
    const [replica = ''] = await stage.replicas();
    const [sentinel = ''] = await stage.sentinels();
    const [gate = ''] = await stage.gates();
    for (const id of [replica, sentinel, gate]) {
      const pid = await stage.pidOf(id);
      await stage.inject(`${id} is stopped`, () => stage.testbed.signal(id, 'SIGSTOP'));
      if (stage.testbed.heals) await stage.replaced(id, pid);
      else await stage.revive();
      await stage.writesGoOn();
    }
  },
};
