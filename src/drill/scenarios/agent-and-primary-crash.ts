import { oneFailover, waitsAtMost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

export const agentAndPrimaryCrash: Scenario = {
  name: 'agent-and-primary-crash',
  given: 'three hosts, each with a member, a Sentinel, a gate and an agent',
  when: 'the primary and the agent of its host are killed at once, and the agent is started again after 10 s',
  thenHolds: (settings) => [
    ...oneFailover(settings),
    waitsAtMost(5000, 'detectAfter, until the Sentinels agree, and a second'),
  ],
  hosts: 'three',
  live: { safe: false, why: 'the primary and an agent are killed' },
  async act(stage) {
    const primary = await stage.primary();
    const host = await stage.hostOf(primary);
    // Whom it runs is asked of the agent: before it is killed.
    const pid = (await stage.pidOf(primary)) as number;
    await stage.inject(`${primary}, the primary, and its agent are killed`, async () => {
      await stage.testbed.killAgent(host);
      process.kill(pid, 'SIGKILL');
    });
    await stage.anotherPrimaryThan(primary);
    await stage.writesGoOn();
    await stage.untilSinceStrike(10_000);
    stage.mark(`the agent of host ${host} is started again`);
    await stage.testbed.revive();
  },
};
