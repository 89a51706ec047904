import { expect, test } from 'vitest';
import { aPrimary, aReplica, aSentinel, aView, deadProcess } from '../../test/support/views.ts';
import { firstRecord, type InSyncRecord } from './in-sync-record.ts';
import { decideInSync } from './in-sync-set.ts';
import type { MemberView, View } from './view.ts';

const rules = {
  gate: { durability: 'replicated' as const },
  mirror: { ack: 'all' as const },
  sentinel: { quorum: 2, detectAfterMs: 3000 },
};
const both: InSyncRecord = { ...firstRecord('redis-1', 1), in: ['redis-1', 'redis-2'] };
const alone = firstRecord('redis-1', 1);

const viewOf = (
  inSync: InSyncRecord | null,
  follower: Partial<MemberView> = {},
  changes: Partial<View> = {},
): View =>
  aView({
    members: [aPrimary('redis-1', { inSync }), aReplica('redis-2', { inSync: both, ...follower })],
    ...changes,
  });
const decided = (...args: Parameters<typeof viewOf>) => decideInSync(viewOf(...args), rules, 10_000);

test('nothing is to be done while all that are in it keep up', () => {
  expect(decided(both)).toBeUndefined();
  expect(decideInSync(viewOf(null), { ...rules, mirror: { ack: 'one' } }, 10_000)).toBeUndefined();
});

test.each<[string, Partial<MemberView>]>([
  ['its process is gone', { process: deadProcess(9000) }],
  ['nobody listens on its host', { process: null, reachable: false, refuses: true }],
  [
    'its host has been silent for long',
    { process: null, reachable: false, silentMs: 3000, unansweredMs: 3000 },
  ],
  ['it is behind', { behindMs: 3000 }],
  ['it is copied anew', { synced: false, linkUp: false }],
  ['somebody set its priority to 0', { priority: 0 }],
  ['it was fenced by an election that nothing came of', { fenced: true, toldIn: 2 }],
  ['it follows another', { follows: { address: '127.0.0.1', port: 1 } }],
  ['a script has kept it busy for long', { busy: { code: 'script', sinceMs: 0 }, behindMs: 3000 }],
  [
    'it has loaded for long, and says nothing of whom it follows',
    { busy: { code: 'loading', sinceMs: 0 }, behindMs: 3000, follows: null, priority: 0, synced: false },
  ],
  ['it leads as well', { role: 'primary', follows: null }],
])('one leaves: %s', (_why, follower) => {
  expect(decided(both, follower)).toMatchObject({
    kind: 'in-sync-leaves',
    member: 'redis-1',
    leaving: ['redis-2'],
  });
});

test.each<[string, Partial<MemberView>]>([
  ['left one question unanswered', { process: null, reachable: false, silentMs: 900, unansweredMs: 900 }],
  ['is a little behind', { behindMs: 2000 }],
  ['is busy with a script', { busy: { code: 'script', sinceMs: 0 } }],
  [
    'has loaded for a moment',
    { busy: { code: 'loading', sinceMs: 0 }, behindMs: 2000, follows: null, priority: 0, synced: false },
  ],
])('one that %s stays: writes wait for it', (_what, follower) => {
  expect(decided(both, follower)).toBeUndefined();
});

test('one joins that is in sync and may be promoted, and no other', () => {
  expect(decided(alone)).toMatchObject({ kind: 'in-sync-joins', member: 'redis-2' });
  for (const change of [
    { priority: 0 },
    { linkUp: false },
    { synced: false },
    { behindMs: 2000 },
    { reachable: false },
  ])
    expect(decided(alone, change)).toBeUndefined();
});

test('without a record it begins with the lead alone; with votes, unless nobody else has one', () => {
  expect(decided(null)).toMatchObject({ kind: 'in-sync-leaves', leaving: ['redis-2'] });
  expect(decided(null, { reachable: false, inSync: null })).toMatchObject({ kind: 'in-sync-leaves' });
  expect(decided(null, { inSync: null })).toMatchObject({ kind: 'in-sync-begins', member: 'redis-1' });
});

test('what somebody did not bring to its end, or is of another epoch than the Sentinels, is made anew', () => {
  const leaving = { ...alone, leaving: ['redis-2'] };
  expect(decided(leaving)).toMatchObject({
    ...{ kind: 'in-sync-leaves', leaving: [], before: leaving },
    reason: expect.stringMatching(/^redis-2 was being left out/),
  });
  expect(decided({ ...both, epoch: 2 })).toMatchObject({ kind: 'in-sync-leaves', leaving: [] });
  expect(decided({ ...both, epoch: 0 })).toMatchObject({ kind: 'in-sync-leaves', leaving: [] });
});

test('only the agent of the host of the one that leads does, as long as the Sentinels can vote', () => {
  const dead = { process: deadProcess(9000) };
  const elsewhere = {
    members: [aPrimary('redis-1', { inSync: both, process: null }), aReplica('redis-2', dead)],
  };
  expect(decided(both, dead, elsewhere)).toBeUndefined();
  const few = { sentinels: [1, 2, 3].map((n) => aSentinel(`sentinel-${n}`, { reachable: n === 1 })) };
  expect(decided(both, dead, few)).toBeUndefined();
});
