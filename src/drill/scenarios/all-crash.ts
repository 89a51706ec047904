import { nothingLost, promotions } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

/** A process that is killed has given its AOF to the kernel already; a machine that loses power has not. */
export const allCrash: Scenario = {
  name: 'all-crash',
  given: 'a primary and two replicas under load',
  when: 'every process is killed, the agent too, and all is started again',
  thenHolds: ({ persistence }) => [promotions(0), ...(persistence.startsWith('aof') ? [nothingLost] : [])],
  hosts: 'one',
  live: { safe: false, why: 'nothing is left running' },
  async act(stage) {
    await stage.inject('everything is killed', () => stage.testbed.killEverything());
    stage.mark('all is started again');
    await stage.testbed.revive();
    await stage.writesGoOn();
  },
};
