/** A switchover's hold at the gates: how long it lasts at each moment, and what a gate that hangs costs. */
import { beforeEach, expect, test } from 'vitest';
import { TrialAgent } from '../../../test/support/trial-agent.ts';
import { TrialWorld } from '../../../test/support/trial-servers.ts';
import { Operations } from '../operations.ts';
import { switchover } from './switchover.ts';

let world: TrialWorld;
let agent: TrialAgent;
/** Until when the gate holds writes, by its own word. */
let heldUntilMs = 0;
let holdsFor: number[] = [];
/** Whether the gate still answers. */
let isAlive = true;

beforeEach(async () => {
  world = new TrialWorld();
  agent = new TrialAgent(world, 'host-1', ['host-1', 'host-2', 'host-3']);
  agent.loop.stop();
  await agent.settle();
  [heldUntilMs, holdsFor, isAlive] = [0, [], true];
  const { adapter } = agent.gates[0] as (typeof agent.gates)[number];
  adapter.hold = async (_reason, forMs = 0) => {
    if (!isAlive) return new Promise(() => {});
    heldUntilMs = world.clock.monotonicMs() + forMs;
    holdsFor.push(forMs);
    return undefined;
  };
});

async function run(meanwhile: () => void): Promise<void> {
  const operation = await new Operations().begin('switchover', {});
  const observer = { lookAtAll: () => agent.lookAtAll(), lookWithin: (ms: number) => agent.lookWithin(ms) };
  const change = switchover({ deployment: agent, observer, report: () => {}, operation }, 'redis-2', 0);
  await world.settle(change, meanwhile);
}

test('the gate holds without a gap while the target catches up, in slices, and for the whole turn in the end', async () => {
  const [primary, target] = [world.server('redis-1'), world.server('redis-2')];
  primary.offset = 2000;
  const sinceMs = world.clock.monotonicMs();
  await run(() => {
    const nowMs = world.clock.monotonicMs();
    if (holdsFor.length > 0 && target.promotions === 0) expect(heldUntilMs).toBeGreaterThan(nowMs);
    if (nowMs - sinceMs > 900) target.offset = 2000;
  });
  expect(holdsFor.length).toBeGreaterThan(3);
  expect(holdsFor.slice(0, -1).every((ms) => ms === 500)).toBe(true);
  expect(holdsFor.at(-1)).toBe(3000);
  expect(target.promotions).toBe(1);
});

test('a gate that hangs before the turn is not waited for longer than a moment', async () => {
  const [primary, target] = [world.server('redis-1'), world.server('redis-2')];
  primary.offset = 2000;
  let caughtUpMs = 0;
  await run(() => {
    if (holdsFor.length === 0 || caughtUpMs > 0) return;
    isAlive = false;
    target.offset = 2000;
    caughtUpMs = world.clock.monotonicMs();
  });
  expect(target.promotions).toBe(1);
  expect(world.clock.monotonicMs() - caughtUpMs).toBeLessThan(2700);
});
