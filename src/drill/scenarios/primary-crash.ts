import { noSecondFailover, oneFailover, waitsAtMost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

export const primaryCrash: Scenario = {
  name: 'primary-crash',
  given: 'a primary and two replicas under load',
  when: 'the primary is killed',
  thenHolds: (settings) => [
    ...oneFailover(settings),
    waitsAtMost(2000, 'Sentinel alone would not have begun before 3 s'),
    noSecondFailover,
  ],
  hosts: 'one',
  live: {
    safe: false,
    why: 'writes that the primary had not answered end in an error, and some may be lost',
  },
  async act(stage) {
    const primary = await stage.primary();
    await stage.inject(`${primary}, the primary, is killed`, () => stage.kill(primary));
    await stage.anotherPrimaryThan(primary);
    await stage.writesGoOn();
    await stage.revive();
  },
};
