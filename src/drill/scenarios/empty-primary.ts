import { nothingLost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

/**
 * A supervisor that restarts a primary whose disk is empty has it wipe every replica within a second. Here no replica
 * may be promoted at first (`replica-priority 0`), so that only the guard stands between the empty one and the others.
 */
export const emptyPrimary: Scenario = {
  name: 'empty-primary',
  given: 'a primary and two replicas that hold data, none of which may be promoted',
  when: 'the files of the primary are deleted and it dies',
  thenHolds: () => [nothingLost],
  hosts: 'one',
  live: { safe: false, why: 'a member’s data is deleted' },
  async act(stage) {
    const primary = await stage.primary();
    const replicas = await stage.replicas();
    await stage.testbed.setEligible(replicas, false);
    await stage.dataOfIsKnown(primary);
    const oldPid = await stage.pidOf(primary);
    await stage.inject(`the files of ${primary}, the primary, are deleted, and it is killed`, async () => {
      await stage.testbed.wipe(primary);
      await stage.kill(primary);
    });
    await stage.revive();
    const next = await stage.refusedOrPrimary(primary, oldPid);
    await stage.testbed.setEligible(replicas, true);
    if (next === 'refused') await stage.failOver();
    await stage.writesGoOn();
  },
};
