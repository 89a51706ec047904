import { DrillClient } from '../client.ts';
import { DrillFailed } from '../errors.ts';
import { noDrops, noErrors, nothingLost, promotions, waitsAtMost } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

/**
 * One call of Lua's pattern matcher, of some seconds: no server can interrupt it, so that it says nothing meanwhile, not
 * even BUSY. To everyone outside it looks like a hang.
 */
const slowScript = "return string.find(string.rep('a', 30000), '^.-.-b')";

export const slowCommand: Scenario = {
  name: 'slow-command',
  given: 'a primary and two replicas under load',
  when: 'a client sends a command that takes the primary seconds',
  thenHolds: () => [promotions(0), nothingLost, noDrops, noErrors, waitsAtMost(10_000, 'gate.hold')],
  hosts: 'one',
  live: { safe: false, why: 'every client waits until the command is done' },
  // Sentinels can't tell a slow command from a lost host: they are to wait longer than it takes on a busy machine.
  sections: { sentinel: { detectAfter: '10s' }, agent: { hangAfter: '10s' } },
  async act(stage) {
    const listener = (await stage.testbed.listeners()).find(({ to }) => to === 'primary');
    if (listener === undefined) throw DrillFailed('there is no way in for a client');
    const client = new DrillClient(listener);
    let took = '';
    await stage.inject('a slow command is sent', async () => {
      const answer = await client.call('EVAL', slowScript, '0');
      took = answer.kind === 'reply' ? 'is done' : `ended with ${answer.word}`;
    });
    client.close();
    stage.mark(`the slow command ${took}`);
    await stage.writesGoOn();
  },
};
