import { noDrops, noErrors, nothingLost, promotions } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

export const rollingRestart: Scenario = {
  name: 'rolling-restart',
  given: 'a primary and two replicas under load',
  when: 'every member is restarted, one after the other',
  thenHolds: () => [promotions(1), nothingLost, noDrops, noErrors],
  hosts: 'one',
  live: { safe: true, why: 'it is what `holdfast restart --rolling` is for' },
  async act(stage) {
    await stage.inject('the members are restarted', () => stage.testbed.rollingRestart());
    stage.mark('all are restarted');
    await stage.writesGoOn();
  },
};
