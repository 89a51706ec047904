import { expect, test } from 'vitest';
import { aliveProcess, aPrimary, aReplica, aView, loading } from '../../test/support/views.ts';
import { findDeadLink } from './dead-link.ts';
import type { MemberView } from './view.ts';

const silent: Partial<MemberView> = { linkSilentMs: 3000, behindMs: 1500, offset: 1000 };
const ahead: Partial<MemberView> = { offset: 1100, process: null };
const find = (replica: Partial<MemberView>, primary: Partial<MemberView> = {}) =>
  findDeadLink(
    aView({ members: [aPrimary('redis-1', { ...ahead, ...primary }), aReplica('redis-2', replica)] }),
  );

test('a replica to which nothing comes connects anew, when the primary answers and has something for it', () => {
  expect(find(silent)).toEqual({
    member: 'redis-2',
    primary: 'redis-1',
    reason:
      'nothing has come to redis-2 for 3 s over its link to the primary redis-1, which answers and has something for it: it connects anew',
  });
});

test.each<[string, Partial<MemberView>]>([
  ['hears', { linkSilentMs: 2000 }],
  ['has everything', { behindMs: 0 }],
  ['has not been behind for long', { behindMs: 1400 }],
  ['has what the primary has by now', { offset: 1100 }],
  ['knows that its link is down', { linkUp: false }],
  ['copies everything', { syncing: true }],
  ['loads', { busy: loading }],
  ['does not answer', { reachable: false }],
  ['follows another server', { follows: { address: '127.0.0.1', port: 7109 } }],
  ['is of another host', { process: null }],
  ['does not run', { process: aliveProcess({ running: false }) }],
])('one that %s is left alone', (_, changes) => {
  expect(find({ ...silent, ...changes })).toBeUndefined();
});

test('a link that still brings what the primary keeps no more is left alone', () => {
  expect(find(silent, { backlogBytes: 100 })).toBeUndefined();
  expect(find(silent, { backlogBytes: 101 })).toBeDefined();
});

test.each<[string, Partial<MemberView>]>([
  ['does not answer', { reachable: false }],
  ['has not answered yet', { unansweredMs: 400 }],
  ['is busy', { busy: loading }],
])('a primary that %s can’t send anything either', (_, changes) => {
  expect(find(silent, changes)).toBeUndefined();
});
