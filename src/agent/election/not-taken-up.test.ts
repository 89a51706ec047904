/** Sentinels that do not hear, or do not believe, whom an elected agent has made primary. */
import { describe, expect, test } from 'vitest';
import { TrialAgent } from '../../../test/support/trial-agent.ts';
import { TrialWorld } from '../../../test/support/trial-servers.ts';
import { actingPrimary } from '../../topology/view.ts';

describe('Sentinels that do not take up whom it makes primary', () => {
  /** Once a second it looks, until there is nothing to do: how long that takes this machine makes no difference. */
  const passes = async (world: TrialWorld, agent: TrialAgent, seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      await world.settle(agent.actUntilRest());
      await world.settle(agent.lookAtAll(), () => {});
      world.skip(1000);
    }
  };
  const deaf = async () => {
    const world = new TrialWorld();
    const agent = new TrialAgent(world, 'host-1');
    await agent.settle();
    world.deafToHellos = true;
    return { world, agent };
  };
  const crash = (world: TrialWorld, agent: TrialAgent) => {
    world.server('redis-1').alive = false;
    agent.died('redis-1');
  };
  const promotions = ({ servers }: TrialWorld) => servers.reduce((sum, server) => sum + server.promotions, 0);
  const toldIn = ({ said }: TrialAgent) =>
    said.filter(({ kind }) => kind === 'not-taken-up').map(({ text }) => text);
  const stood = ({ steps }: TrialAgent) => steps.filter(({ kind }) => kind === 'stand').length;

  test('it serves on, and after two elections in vain all of them are told by command whom to watch', async () => {
    const { world, agent } = await deaf();
    crash(world, agent);
    await passes(world, agent, 200);
    expect([world.server('redis-1').follows, promotions(world), stood(agent)]).toEqual(['redis-2', 1, 2]);
    const appointed = agent.steps.filter(({ kind }) => kind === 'appoint');
    const sentinels = ['sentinel-1', 'sentinel-2', 'sentinel-3'];
    expect(appointed).toMatchObject([{ member: 'redis-2', sentinels }]);
    expect(new Set(world.sentinels.map(({ primary }) => primary))).toEqual(new Set(['10.1.0.2:6379']));
    expect(agent.troubles.all).toEqual([]);
    agent.loop.stop();
  }, 30_000);

  test('while one of them can’t be told, none is: it would undo that. It serves on, that is said, and the elections end', async () => {
    const { world, agent } = await deaf();
    world.tilted.add('sentinel-3');
    crash(world, agent);
    await passes(world, agent, 200);
    expect([world.server('redis-1').follows, promotions(world), stood(agent)]).toEqual(['redis-2', 1, 4]);
    const told = toldIn(agent);
    expect(told).toHaveLength(4);
    expect(told[0]).toContain(
      'redis-2 was made primary by election and serves, and the Sentinels name redis-1:',
    );
    expect(told.map((text) => /elected.*?;/.exec(text)?.[0])).toEqual([
      'elected once;',
      'elected 2 times;',
      'elected 3 times;',
      'elected 4 times;',
    ]);
    expect(agent.troubles.all).toEqual([told[3]]);
    // Gates that come now are told as well.
    expect(actingPrimary(agent.view())?.id).toBe('redis-2');
    world.tilted.clear();
    await passes(world, agent, 10);
    expect(new Set(world.sentinels.map(({ primary }) => primary))).toEqual(new Set(['10.1.0.2:6379']));
    expect(agent.troubles.all).toEqual([]);
    agent.loop.stop();
  }, 30_000);
});
