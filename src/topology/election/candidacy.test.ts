import { describe, expect, test } from 'vitest';
import {
  aDeadMember,
  aPrimary,
  aReplica,
  aView,
  deadProcess,
  loading,
  threeSentinels,
} from '../../../test/support/views.ts';
import type { MemberView, SentinelView, View } from '../view.ts';
import { candidacy } from './candidacy.ts';

const nowMs = 1_000_000;
const rules = {
  ...{ sentinel: { quorum: 2, detectAfterMs: 3000 }, rank: 2 },
  gate: { durability: 'async' as const },
};
const standsOn = (view: View, atMs = nowMs) => candidacy(view, rules, atMs);
/** redis-1 is the primary, on another host. */
const elsewhere = (primary: Partial<MemberView>, changes: Partial<View> = {}) =>
  aView({
    members: [aPrimary('redis-1', { process: null, ...primary }), aReplica('redis-2'), aReplica('redis-3')],
    ...changes,
  });
const silent = { reachable: false, silentMs: 3000 };
const down = (...agoMs: number[]): SentinelView[] =>
  threeSentinels(
    [0, 1, 2].map((i) => ({ agreedDownAtMs: agoMs[i] === undefined ? null : nowMs - agoMs[i] })),
  );

test('nothing is wrong: nobody stands', () => {
  expect(standsOn(aView())).toBeUndefined();
  expect(standsOn(elsewhere(silent))).toBeUndefined();
});

describe('a process of its own is gone', () => {
  test('it stands at once', () => {
    const members = [aDeadMember('redis-1', nowMs - 3), aReplica('redis-2')];
    expect(standsOn(aView({ members }))).toMatchObject({ cause: 'process-gone', fromMs: nowMs - 3 });
  });

  test('also when it was killed and can’t end before its disk answers', () => {
    const process = deadProcess(nowMs - 3, { ending: true });
    const members = [aDeadMember('redis-1', nowMs - 3, { process }), aReplica('redis-2')];
    expect(standsOn(aView({ members }))).toMatchObject({ cause: 'process-gone' });
  });
});

describe('the Sentinels agree that the primary is down', () => {
  test('agents stand one after the other, in the order of their hosts', () => {
    const view = elsewhere(silent, { sentinels: down(30, 10) });
    expect(standsOn(view)).toMatchObject({ cause: 'agreed-down', fromMs: nowMs - 30 + 2 * 40 });
    expect(candidacy(view, { ...rules, rank: 0 }, nowMs)?.fromMs).toBe(nowMs - 30);
  });

  test('not while it answers this agent', () => {
    expect(standsOn(elsewhere({}, { sentinels: down(10) }))).toBeUndefined();
    expect(standsOn(elsewhere({ busy: loading }, { sentinels: down(10) }))?.cause).toBe('agreed-down');
  });

  test('one in TILT, or that went away, says nothing', () => {
    const sentinels = (changes: Partial<SentinelView>) =>
      threeSentinels([{ agreedDownAtMs: nowMs, ...changes }, {}, {}]);
    expect(standsOn(elsewhere(silent, { sentinels: sentinels({ tilt: true }) }))).toBeUndefined();
    expect(standsOn(elsewhere(silent, { sentinels: sentinels({ reachable: false }) }))).toBeUndefined();
    expect(standsOn(elsewhere(silent, { sentinels: sentinels({}) }))?.cause).toBe('agreed-down');
  });
});

describe('for detectAfter the primary of another host has answered nobody', () => {
  const mute = { reachable: false, silentMs: 3600, unansweredMs: 3100 };
  const sentinels = (...silentMs: number[]) =>
    threeSentinels(silentMs.map((primarySilentMs) => ({ primarySilentMs })));
  const by = (primary: Partial<MemberView>, ...silentMs: number[]) =>
    standsOn(elsewhere(primary, { sentinels: sentinels(...silentMs) }));

  test('they stand before a Sentinel says so, one after the other', () => {
    expect(by(mute, 3000, 3900, 0)).toMatchObject({ cause: 'agreed-down', fromMs: nowMs - 100 + 2 * 40 });
  });

  test('not while fewer Sentinels than an election needs have heard nothing for so long', () => {
    expect(by(mute, 2999, 3900, 0)).toBeUndefined();
    const inTilt = threeSentinels([{ primarySilentMs: 9000, tilt: true }, { primarySilentMs: 9000 }, {}]);
    expect(standsOn(elsewhere(mute, { sentinels: inTilt }))).toBeUndefined();
    const ofAnother = threeSentinels([
      { primarySilentMs: 9000, primary: 'redis-2' },
      { primarySilentMs: 9000 },
      {},
    ]);
    expect(standsOn(elsewhere(mute, { sentinels: ofAnother }))).toBeUndefined();
  });

  test('not while this agent has asked for less long, may have been away itself, or was answered', () => {
    expect(by({ ...mute, unansweredMs: 2999 }, 9000, 9000, 9000)).toBeUndefined();
    expect(by({ ...mute, silentMs: 0 }, 9000, 9000, 9000)).toBeUndefined();
    expect(by({ unansweredMs: 9000, silentMs: 9000 }, 9000, 9000, 9000)).toBeUndefined();
  });

  test('not of a member of its own host, whose process it can look at', () => {
    const members = [aPrimary('redis-1', mute), aReplica('redis-2')];
    expect(standsOn(aView({ members, sentinels: sentinels(9000, 9000, 9000) }))).toBeUndefined();
  });
});

describe('a vote was not used', () => {
  const vote = { atMs: nowMs - 600, ours: false };
  const refuses = { reachable: false, refuses: true };

  test('another one stands half a second after it, when the primary is certainly gone', () => {
    expect(standsOn(elsewhere(refuses, { vote }))).toMatchObject({
      cause: 'vote-unused',
      fromMs: vote.atMs + 500 + 2 * 40,
    });
    expect(standsOn(elsewhere(silent, { vote }))).toBeUndefined();
    expect(standsOn(elsewhere({}, { vote }))).toBeUndefined();
  });

  test('without a vote it is not known that anyone tried', () => {
    expect(standsOn(elsewhere(refuses))).toBeUndefined();
  });
});

describe('the named primary acts as a replica', () => {
  const follows = { address: '127.0.0.1', port: 7102 };
  const replica = { role: 'replica', follows, seenAtMs: nowMs } as const;
  const named = { namedSinceMs: nowMs - 600 };

  test('when it was seen to, long enough after it was named', () => {
    expect(standsOn(elsewhere(replica, named))).toMatchObject({ cause: 'not-acting' });
    expect(standsOn(elsewhere({ ...replica, seenAtMs: nowMs - 150 }, named))).toBeUndefined();
    expect(standsOn(elsewhere(replica, { namedSinceMs: nowMs - 400 }))).toBeUndefined();
  });

  test('it takes part itself', () => {
    const fit = standsOn(elsewhere({ ...replica, synced: true }, named))?.fit ?? [];
    expect(fit.map(({ id }) => id)).toContain('redis-1');
  });

  test('it follows one that acts as primary: that one is elected, half a second after it was noticed', () => {
    const members = [
      aPrimary('redis-1', { process: null, ...replica, synced: true }),
      aPrimary('redis-2'),
      aReplica('redis-3'),
    ];
    const since = (noPrimarySinceMs: number | null) =>
      standsOn(aView({ members, ...named, noPrimarySinceMs }));
    expect(since(nowMs - 500)).toMatchObject({ cause: 'not-acting', fromMs: nowMs + 2 * 40 });
    expect(since(nowMs - 500)?.fit.map(({ id }) => id)).toEqual(['redis-2']);
    expect(since(null)?.fromMs).toBeGreaterThan(nowMs);
  });

  test('one that was elected so and is not taken up is elected again after pauses that grow, and then no more', () => {
    const members = [
      aPrimary('redis-1', { process: null, ...replica, synced: true }),
      aPrimary('redis-2'),
      aReplica('redis-3'),
    ];
    const noPrimarySinceMs = nowMs - 100_000;
    const from = (times: number, member = 'redis-2') => {
      const promoted = { member, atMs: nowMs - 3000, times };
      return standsOn(aView({ members, ...named, noPrimarySinceMs, promoted }))?.fromMs ?? 0;
    };
    expect([1, 2, 3, 4].map((times) => from(times) - nowMs)).toEqual([2000, 7000, 17_000, Infinity]);
    expect(from(4, 'redis-3')).toBeLessThan(nowMs);
    // A crash of that one is another matter.
    const gone = [
      members[0] as MemberView,
      aReplica('redis-2', { reachable: false, role: null }),
      aReplica('redis-3'),
    ];
    const promoted = { member: 'redis-2', atMs: nowMs - 3000, times: 4 };
    expect(standsOn(aView({ members: gone, ...named, promoted }))?.fromMs).toBeLessThan(nowMs + 100);
  });

  test('not one that takes the data of a restore: that follows nobody of the deployment', () => {
    const restoring = { ...replica, follows: { address: '127.0.0.1', port: 40_123 } };
    expect(standsOn(elsewhere(restoring, named))).toBeUndefined();
  });

  test('not while another acts as primary than the one that it follows', () => {
    const view = elsewhere(replica, named);
    const members = [view.members[0] as MemberView, aReplica('redis-2'), aPrimary('redis-3')];
    expect(standsOn({ ...view, members })).toBeUndefined();
  });
});
