import { expect, test } from 'vitest';
import { aDeadMember, aPrimary, aReplica, aView, deadProcess } from '../../test/support/views.ts';
import { decide } from './decide.ts';
import type { DecideRules } from './decision.ts';
import type { View } from './view.ts';

const rules: DecideRules = {
  rank: 0,
  sentinel: { quorum: 2, detectAfterMs: 3000 },
  gate: { durability: 'async' as const },
  agent: { hangAfterMs: 5000, restarts: { limit: 5, withinMs: 60_000 } },
};
const nowMs = 1_000_000;
const damage = 'Bad file format reading the append only file';
const damaged = (id: string, diedAgoMs: number) =>
  aDeadMember(id, nowMs, { process: deadProcess(nowMs - diedAgoMs, { damage }) });
const decideOn = (members: View['members']) => decide(aView({ members }), rules, nowMs);

test('a replica that can’t load its files copies everything from the primary', () => {
  const decision = decideOn([aPrimary('redis-1'), damaged('redis-2', 1000), aReplica('redis-3')]);
  expect(decision).toMatchObject({ kind: 'restart', as: { kind: 'replica', of: 'redis-1', afresh: true } });
  expect((decision as { reason: string }).reason).toContain(damage);
});

test('without a primary that answers its files are left where they are', () => {
  const decision = decideOn([aDeadMember('redis-1', nowMs - 1000), damaged('redis-2', 1000)]);
  expect(JSON.stringify(decision)).not.toContain('afresh');
});

test('a primary that can’t load its files is not started again and again: it is said, with what can be done', () => {
  const follower = aReplica('redis-2', { synced: false, linkUp: false });
  const decision = decideOn([
    damaged('redis-1', 60_000),
    follower,
    aReplica('redis-3', { synced: false, linkUp: false }),
  ]);
  expect(decision).toMatchObject({ kind: 'refuse', member: 'redis-1' });
  expect(JSON.stringify(decision)).toMatch(/Bad file format.*holdfast failover/);
});
