import { expect, test } from 'vitest';
import {
  aDeadMember,
  aPrimary,
  aReplica,
  aView,
  deadProcess,
  threeSentinels,
} from '../../test/support/views.ts';
import { obstacleTo } from './obstacle.ts';
import type { MemberView, Refusal, View } from './view.ts';

const moment = { nowMs: 10_000, sinceMs: 10_000, quorum: 2 };
const viewOf = (...others: MemberView[]): View => aView({ members: [aPrimary('redis-1'), ...others] });
const two = (changes: Partial<MemberView>) => aReplica('redis-2', changes);

test('nothing stands in the way of a healthy deployment, nor when one of two can take over', () => {
  expect(obstacleTo(aView(), null, moment)).toBeUndefined();
  expect(obstacleTo(aView(), 'redis-1', moment)).toBeUndefined();
  expect(obstacleTo(viewOf(two({ priority: 0 }), aReplica('redis-3')), null, moment)).toBeUndefined();
});

const refusal: Refusal = { code: 'would-be-wiped', about: [], reason: 'it would cost data' };
test.each<[string, MemberView, RegExp]>([
  ['an operator set its priority to 0', two({ priority: 0 }), /^redis-2 has replica-priority 0$/],
  ['it has no room', two({ storeFails: true }), /^redis-2 can't write its AOF$/],
  [
    'its restarts are used up',
    aDeadMember('redis-2', 0, { process: deadProcess(0, { failed: true }) }),
    /failed/,
  ],
  [
    'it is not started, for that would cost data',
    aDeadMember('redis-2', 0, { process: deadProcess(0, { refusal }) }),
    /^redis-2 is refused: it would cost data$/,
  ],
  ['it locks this agent out', two({ locksOut: 'NOPERM' }), /does not let this agent in/],
])('refused at once: %s', (_why, member, text) => {
  const found = obstacleTo(viewOf(member), null, moment);
  expect(found).toMatchObject({ passes: false, text: expect.stringMatching(text) });
  expect(found?.hint).not.toBe('');
  // Another one that may come to it is worth waiting for.
  const other = aReplica('redis-3', { linkUp: false, syncing: true });
  expect(obstacleTo(viewOf(member, other), null, moment)).toMatchObject({
    passes: true,
    text: expect.stringMatching(/; redis-3 is syncing: it copies everything from its primary$/),
  });
});

test.each<[string, MemberView, RegExp]>([
  ['its link is missing', two({ linkUp: false }), /^redis-2 is disconnected: it has no link to its primary$/],
  ['it loads', two({ busy: { code: 'loading', sinceMs: 0 } }), /^redis-2 is loading/],
  ['a script runs in it', two({ busy: { code: 'script', sinceMs: 0 } }), /^redis-2 is busy: a script/],
  ['it is down, and is started again', aDeadMember('redis-2', 0), /^redis-2 is down/],
  ['its agent holds it back until it is in sync', two({ priority: 0, heldBack: true }), /in sync first/],
])('waited for: %s', (_why, member, text) => {
  const expected = { passes: true, text: expect.stringMatching(text) };
  expect(obstacleTo(viewOf(member), null, moment)).toMatchObject(expected);
});

test('a member that is down is waited for unless automation is paused: nobody starts it then', () => {
  const view = { ...viewOf(aDeadMember('redis-2', 0)), paused: true };
  expect(obstacleTo(view, 'redis-2', moment)).toMatchObject({
    passes: false,
    text: expect.stringContaining('automatic actions are paused'),
    hint: 'holdfast resume has it started again.',
  });
});

test('a priority of 0 on another host: its agent has a moment to take it back', () => {
  const view = viewOf(two({ process: null, priority: 0 }));
  expect(obstacleTo(view, null, moment)).toMatchObject({ passes: true });
  expect(obstacleTo(view, null, { nowMs: 13_000, sinceMs: 10_000, quorum: 2 })).toMatchObject({
    passes: false,
  });
  // Named, it is the operator's wish.
  expect(obstacleTo(view, 'redis-2', moment)).toBeUndefined();
});

test('the only member, a failover, a Sentinel that names another', () => {
  expect(obstacleTo(viewOf(), null, moment)).toMatchObject({
    passes: false,
    text: 'redis-1 is the only member',
  });
  const sentinels = threeSentinels([{}, {}, { primary: 'redis-3' }]);
  expect(obstacleTo(aView({ sentinels }), null, moment)).toMatchObject({
    passes: true,
    text: 'sentinel-3 still names redis-3 primary',
  });
  const selection = { member: 'redis-2', atMs: 0 };
  expect(obstacleTo(aView({ selection }), null, moment)).toMatchObject({ passes: true });
});

test('Sentinels that would not vote are named, and waited for', () => {
  const tilted = aView({ sentinels: threeSentinels([{ tilt: true }, {}, { tilt: true }]) });
  expect(obstacleTo(tilted, 'redis-2', moment)).toMatchObject({
    passes: true,
    text: '2 of 3 Sentinels have to vote for it, and sentinel-1 is in TILT, sentinel-3 is in TILT',
    hint: expect.stringContaining('30 s'),
  });
  const one = aView({ sentinels: threeSentinels([{ reachable: false }, {}, {}]) });
  expect(obstacleTo(one, null, moment)).toBeUndefined();
  expect(obstacleTo(one, null, { ...moment, quorum: 3 })).toMatchObject({
    passes: true,
    text: '3 of 3 Sentinels have to vote for it, and sentinel-1 does not answer',
  });
});

test('where the Sentinels give up a primary that can not write, full disks are what is told; nobody waits when all are full', () => {
  const full = (id: string) => ({ storeFails: true, id });
  const sentinels = threeSentinels({ failoverInProgress: true });
  const members = [aPrimary('redis-1', full('redis-1')), aReplica('redis-2', full('redis-2'))];
  expect(obstacleTo(aView({ members, sentinels }), null, moment)).toMatchObject({
    passes: false,
    text: expect.stringMatching(/^redis-1 can't write its AOF; redis-2 can't write its AOF; .*failover/),
    hint: expect.stringContaining('Make room there'),
  });
  const another = [...members, aReplica('redis-3')];
  expect(obstacleTo(aView({ members: another, sentinels }), null, moment)).toMatchObject({ passes: true });
});

test('a replica that could not log in is a lasting obstacle, unless another one may yet take over', () => {
  const cannotLogIn = new Set(['redis-2']);
  const unlinked = two({ linkUp: false });
  expect(obstacleTo(viewOf(unlinked), null, moment)).toMatchObject({ passes: true });
  expect(obstacleTo(viewOf(unlinked), null, { ...moment, cannotLogIn })).toMatchObject({
    passes: false,
    text: expect.stringContaining('masterauth'),
    hint: expect.stringContaining('holdfast apply'),
  });
  const other = aReplica('redis-3', { linkUp: false });
  expect(obstacleTo(viewOf(unlinked, other), null, { ...moment, cannotLogIn })).toMatchObject({
    passes: true,
  });
});
