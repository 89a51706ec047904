import { nothingLost, promotions, waitsAtMost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

/** As one that is killed usually has: its agent has a spare for it by then. */
const hasRunMs = 10_500;

/** Connections end with the process that holds them: that they are dropped is no broken promise here. */
export const gateCrash: Scenario = {
  name: 'gate-crash',
  given: 'clients that are connected through one gate, which has run for ten seconds',
  when: 'the gate is killed',
  thenHolds: () => [promotions(0), nothingLost, waitsAtMost(5000, 'the agent starts it again at once')],
  hosts: 'one',
  live: { safe: false, why: 'every client of that gate is disconnected' },
  async act(stage) {
    const [gate = ''] = await stage.gates();
    await stage.pause(hasRunMs);
    await stage.inject(`${gate} is killed`, () => stage.kill(gate));
    // A supervisor starts HAProxy again at once.
    await stage.revive();
    await stage.writesGoOn();
  },
};
