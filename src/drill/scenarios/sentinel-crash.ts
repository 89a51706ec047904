import { noDrops, noErrors, nothingLost, promotions } from '../promises.ts';
import type { Scenario } from '../scenario.ts';

export const sentinelCrash: Scenario = {
  name: 'sentinel-crash',
  given: 'three Sentinels that watch a primary under load',
  when: 'one Sentinel is killed',
  thenHolds: () => [promotions(0), nothingLost, noDrops, noErrors],
  hosts: 'one',
  live: {
    safe: true,
    why: 'two Sentinels remain, and they are a majority',
    butNot: ({ sentinels }) => (sentinels.length === 0 ? 'it has no Sentinels' : null),
  },
  async act(stage) {
    const [sentinel = ''] = await stage.sentinels();
    await stage.inject(`${sentinel} is killed`, () => stage.kill(sentinel));
    await stage.writesGoOn();
    await stage.revive();
  },
};
