import { noDrops, noErrors, nothingLost, promotions, waitsAtMost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

export const switchoverDrill: Scenario = {
  name: 'switchover',
  given: 'a primary and two replicas under load',
  when: 'the primary is moved on purpose',
  thenHolds: () => [
    promotions(1),
    nothingLost,
    noDrops,
    noErrors,
    waitsAtMost(1000, 'a planned change is hardly noticed'),
  ],
  hosts: 'one',
  live: { safe: true, why: 'it is what `holdfast switchover` is for' },
  async act(stage) {
    await stage.inject('the primary is moved', async () => {
      const to = await stage.testbed.switchover();
      stage.mark(`${to} is primary`);
    });
    await stage.writesGoOn();
  },
};
