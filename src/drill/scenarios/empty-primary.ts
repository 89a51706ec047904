import { nothingLost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

/**
 * A supervisor that restarts a primary whose disk is empty has it wipe every replica within a second. Here no replica
 * may be promoted at first (`replica-priority 0`), so that only the guard stands between the empty one and the others.
 */
export const emptyPrimary: Scenario = {
  name: 'empty-primary',
  given: 'a primary and two replicas that hold data, none of which may be promoted',
  when: 'the primary dies and its files are gone',
  thenHolds: () => [nothingLost],
  hosts: 'one',
  live: { safe: false, why: 'a member’s data is deleted' },
  sections: { redis: { config: { 'replica-priority': 0 } } },
  async act(stage) {
    const primary = await stage.primary();
    const replicas = await stage.replicas();
    await stage.dataOfIsKnown(primary);
    await stage.strike(`${primary}, the primary, is killed and its files are deleted`, async () => {
      await stage.kill(primary);
      await stage.rig.wipe(primary);
    });
    await stage.revive();
    if ((await stage.refusedOrPrimary(primary)) === 'refused') {
      await stage.makeEligible(replicas);
      await stage.failOver();
    }
    await stage.writesGoOn();
  },
};
