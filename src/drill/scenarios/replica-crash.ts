import { noDrops, noErrors, nothingLost, promotions } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

export const replicaCrash: Scenario = {
  name: 'replica-crash',
  given: 'a primary and two replicas under load',
  when: 'a replica is killed',
  thenHolds: () => [promotions(0), nothingLost, noDrops, noErrors],
  hosts: 'one',
  live: {
    safe: true,
    why: 'the primary and the gates are not touched',
    butNot: ({ sentinels, mirror }) =>
      sentinels.length === 0 && mirror?.ack === 'all'
        ? 'without Sentinels nobody leaves out a member that is away, and with ack: all every write waits until it is back'
        : null,
  },
  async act(stage) {
    const [replica = ''] = await stage.replicas();
    await stage.inject(`${replica}, a replica, is killed`, () => stage.kill(replica));
    await stage.writesGoOn();
    await stage.revive();
  },
};
