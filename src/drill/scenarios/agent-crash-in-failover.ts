/**
 * The agent that stands for election dies at each step of it. Who ends what it leaves behind: another agent, the next one
 * on that host, or the Sentinels alone.
 */
import type { Sabotage } from '../../base/sabotage.ts';
import { oneFailover, waitsAtMost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

const steps: readonly [name: string, sabotage: Sabotage, when: string][] = [
  ['asking', 'dies-asking', 'when it has asked for votes'],
  ['elected', 'dies-elected', 'when it is elected'],
  ['promotion', 'dies-after-promotion', 'when it has promoted, before it tells anyone else'],
  ['follow', 'dies-after-follow', 'when it has told the other replicas, before it tells the Sentinels'],
  ['hello', 'dies-after-hello', 'when it has told the Sentinels, before it tells the gates'],
];

const failoverTimeoutMs = 12_000;

interface Rest {
  name: string;
  given: string;
  hosts: Scenario['hosts'];
  limitMs: number;
  why: string;
}

const rests: readonly Rest[] = [
  {
    name: 'another',
    given: 'three hosts with an agent each',
    hosts: 'three',
    limitMs: 1000,
    why: 'another agent stands half a second later',
  },
  {
    name: 'next',
    given: 'an agent that is started again after 2 s',
    hosts: 'one',
    limitMs: 3000,
    why: 'the next agent stands as soon as it is there',
  },
  {
    name: 'none',
    given: 'an agent that nobody starts again',
    hosts: 'one',
    limitMs: 2 * failoverTimeoutMs + 3000,
    why: 'the Sentinels stand after twice failoverTimeout',
  },
];

export const agentCrashesInFailover: readonly Scenario[] = rests.flatMap((rest) =>
  steps.map(([step, sabotage, when]) => scenarioOf(rest, step, sabotage, when)),
);

function scenarioOf(rest: Rest, step: string, sabotage: Sabotage, when: string): Scenario {
  const { name, given, hosts, limitMs, why } = rest;
  return {
    name: `agent-crash-in-failover:${step}:${name}`,
    given,
    when: `the primary is killed, and its agent ${when}`,
    thenHolds: (settings) => [...oneFailover(settings), waitsAtMost(limitMs, why)],
    hosts,
    live: { safe: false, why: 'the primary and an agent are killed' },
    sections: { gate: { hold: '60s' }, ...(hosts === 'one' ? { sentinel: { failoverTimeout: '12s' } } : {}) },
    onlyByName: true,
    async act(stage) {
      const primary = await stage.primary();
      await stage.testbed.sabotageAgent(await stage.hostOf(primary), sabotage);
      await stage.until('everyone to be in place', () => stage.testbed.isWhole());
      await stage.inject(`${primary}, the primary, is killed, and its agent ${when}`, () =>
        stage.kill(primary),
      );
      if (name === 'next') {
        await stage.untilSinceStrike(2000);
        stage.mark('the next agent is started');
        await stage.testbed.revive();
      }
      await stage.writesGoOn();
      await stage.testbed.revive();
      await stage.anotherPrimaryThan(primary);
    },
  };
}
