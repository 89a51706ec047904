import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyRules, anyView } from '../../test/support/random-views.ts';
import { aPrimary, aReplica, aView, threeSentinels } from '../../test/support/views.ts';
import { decideEligibility, type EligibilityRules, isEligible } from './eligibility.ts';
import { actingPrimary, type MemberView, type View } from './view.ts';

const async: EligibilityRules = { gate: { durability: 'async' } };
const replicated: EligibilityRules = { gate: { durability: 'replicated' } };

const withReplica = (changes: Partial<MemberView>, view: Partial<View> = {}) =>
  aView({ members: [aPrimary('redis-1'), aReplica('redis-2', changes), aReplica('redis-3')], ...view });
/** Any, and more often such as have a primary that all agree on: only there anything is decided. */
const views = fc.oneof(
  { weight: 1, arbitrary: anyView },
  {
    weight: 3,
    arbitrary: anyView.map((view) => ({
      ...view,
      members: [aPrimary('redis-1'), ...view.members.slice(1)],
      sentinels: threeSentinels(),
      selection: null,
    })),
  },
);
/** What is decided about redis-2, in a word. */
const decided = (changes: Partial<MemberView>, rules = async, view: Partial<View> = {}) => {
  const decision = decideEligibility(withReplica(changes, view), rules);
  if (decision === undefined) return undefined;
  return decision.kind === 'replica-ineligible' ? decision.code : decision.kind;
};

describe('a replica that starts', () => {
  const started = { priority: 0, heldBack: true, linkUp: false, synced: false };

  test('may not be promoted before it is in sync, and then may', () => {
    expect(decided(started)).toBeUndefined();
    expect(isEligible(aReplica('redis-2', started))).toBe(false);
    expect(decided({ ...started, syncing: true })).toBeUndefined();
    expect(decided({ ...started, linkUp: true, synced: true })).toBe('replica-eligible');
  });

  test('loses a priority that it has too early', () => {
    expect(decided({ linkUp: false, synced: false })).toBe('not-synced');
  });

  test('keeps a 0 that somebody else set', () => {
    expect(decided({ priority: 0 })).toBeUndefined();
  });
});

describe('a broken link', () => {
  test('counts when the primary has had for ten seconds what the replica lacks', () => {
    expect(decided({ linkUp: false, behindMs: 9000 })).toBeUndefined();
    expect(decided({ linkUp: false, behindMs: 10_000 })).toBe('link-broken');
    expect(decided({ linkUp: true, behindMs: 60_000 })).toBeUndefined();
    // Nothing was written meanwhile.
    expect(decided({ linkUp: false, behindMs: 0 })).toBeUndefined();
  });

  test('of all of them is no reason while the primary is gone', () => {
    const members = [
      aPrimary('redis-1', { reachable: false }),
      ...['redis-2', 'redis-3'].map((id) => aReplica(id, { linkUp: false, behindMs: 60_000 })),
    ];
    expect(decideEligibility(aView({ members }), replicated)).toBeUndefined();
  });
});

describe('durability: replicated', () => {
  test('one that does not keep up is taken out, and put back when it does', () => {
    expect(decided({ behindMs: 2900 }, replicated)).toBeUndefined();
    expect(decided({ behindMs: 3000 }, replicated)).toBe('behind');
    expect(decided({ behindMs: 3000 }, async)).toBeUndefined();
    expect(decided({ priority: 0, heldBack: true, behindMs: 3000 }, replicated)).toBeUndefined();
    expect(decided({ priority: 0, heldBack: true, behindMs: 1000 }, replicated)).toBe('replica-eligible');
  });

  test('the last one that could be promoted stays', () => {
    for (const other of [{ linkUp: false }, { priority: 0 }, { behindMs: 2000 }, { synced: false }]) {
      const members = [
        aPrimary('redis-1'),
        aReplica('redis-2', { behindMs: 5000 }),
        aReplica('redis-3', { ...other, process: null }),
      ];
      expect(decideEligibility(aView({ members }), replicated)).toBeUndefined();
    }
  });
});

test('nobody is put in or out during a failover', () => {
  const change = { linkUp: false, synced: false };
  const selection = { selection: { member: 'redis-3', atMs: 0 } };
  const failover = { sentinels: threeSentinels([{ failoverInProgress: true }]) };
  expect(decided(change, async, selection)).toBeUndefined();
  expect(decided(change, async, failover)).toBeUndefined();
});

test('the views call for each kind of decision, often enough to mean something', () => {
  const sample = fc.sample(fc.tuple(views, anyRules), { numRuns: 4000, seed: 7 });
  const found = sample.map(([view, rules]) => decideEligibility(view, rules));
  const count = (word: string) =>
    found.filter((each) => each && (each.kind === word || ('code' in each && each.code === word))).length;
  const words = ['replica-eligible', 'not-synced', 'link-broken', 'behind'];
  expect(words.filter((word) => count(word) < 10)).toEqual([]);
});

test('whatever is seen: only own replicas that answer, only with a primary that answers, and never an operator’s 0', () => {
  fc.assert(
    fc.property(views, anyRules, (view, rules) => {
      const decision = decideEligibility(view, rules);
      if (decision === undefined) return;
      const member = view.members.find(({ id }) => id === decision.member);
      expect(member).toMatchObject({ reachable: true, role: 'replica', process: { running: true } });
      expect(actingPrimary(view)?.reachable).toBe(true);
      if (decision.kind === 'replica-eligible')
        expect(member).toMatchObject({ priority: 0, heldBack: true, linkUp: true, synced: true });
      else expect(member?.priority).toBeGreaterThan(0);
    }),
    { numRuns: 2000 },
  );
});

test('a decision that was carried out is not made again', () => {
  fc.assert(
    fc.property(views, anyRules, (view, rules) => {
      const decision = decideEligibility(view, rules);
      if (decision === undefined) return;
      const eligible = decision.kind === 'replica-eligible';
      const members = view.members.map((member) =>
        member.id === decision.member
          ? { ...member, priority: eligible ? 100 : 0, heldBack: !eligible }
          : member,
      );
      expect(decideEligibility({ ...view, members }, rules)?.member).not.toBe(decision.member);
    }),
    { numRuns: 2000 },
  );
});
