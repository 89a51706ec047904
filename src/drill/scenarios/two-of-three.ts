import { oneFailover } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

export const twoOfThree: Scenario = {
  name: 'two-of-three',
  given: 'a primary and two replicas under load',
  when: 'the primary and a replica are killed in the same moment',
  thenHolds: (settings) => [...oneFailover(settings)],
  hosts: 'one',
  live: { safe: false, why: 'one copy of the data is left for a moment' },
  async act(stage) {
    const primary = await stage.primary();
    const [replica = ''] = await stage.replicas();
    await stage.inject(`${primary}, the primary, and ${replica} are killed`, () =>
      Promise.all([stage.kill(primary), stage.kill(replica)]),
    );
    await stage.anotherPrimaryThan(primary);
    await stage.writesGoOn();
    await stage.revive();
  },
};
