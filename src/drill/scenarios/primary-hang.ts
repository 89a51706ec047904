import { oneFailover, waitsAtMost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

export const primaryHang: Scenario = {
  name: 'primary-hang',
  given: 'a primary and two replicas under load',
  when: 'the primary hangs: its process lives and answers nobody (SIGSTOP)',
  thenHolds: (settings) => [...oneFailover(settings), waitsAtMost(10_000, 'gate.hold')],
  hosts: 'one',
  live: { safe: false, why: 'clients wait for seconds, and unanswered writes end in an error' },
  async act(stage) {
    const primary = await stage.primary();
    await stage.inject(`${primary}, the primary, hangs`, () => stage.testbed.signal(primary, 'SIGSTOP'));
    await stage.anotherPrimaryThan(primary);
    await stage.writesGoOn();
    // Without holdfast nobody killed it: it wakes up, and believes for a moment that it is still the primary.
    await stage.revive();
  },
};
