import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyRules, anyView, nowMs } from '../../test/support/random-views.ts';
import {
  aliveProcess,
  aPrimary,
  aReplica,
  aView,
  loading,
  threeSentinels,
} from '../../test/support/views.ts';
import { decideEligibility, type EligibilityRules, heirs, isEligible } from './eligibility.ts';
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
      promoted: null,
      unwilling: [],
    })),
  },
  // And such as follow one that this agent does not reach.
  {
    weight: 1,
    arbitrary: anyView.map((view) => ({
      ...view,
      members: [
        aPrimary('redis-1', { process: null, reachable: false }),
        ...view.members.slice(1).map((each, index) => {
          const own = index === 0 ? { linkSilentMs: 4000, offset: 900 } : {};
          return { ...each, follows: aReplica('redis-2').follows, ...own };
        }),
      ],
      sentinels: threeSentinels(),
      selection: null,
    })),
  },
);
/** What is decided about redis-2, in a word. */
const decided = (changes: Partial<MemberView>, rules = async, view: Partial<View> = {}) => {
  const decision = decideEligibility(withReplica(changes, view), rules, nowMs);
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
    expect(decideEligibility(aView({ members }), replicated, nowMs)).toBeUndefined();
  });
});

test('one that was stopped by a signal takes over from nobody', () => {
  const activity = { stoppedMs: 100, waitingMs: 0, computingMs: 0 };
  expect(isEligible(aReplica('redis-2'))).toBe(true);
  expect(isEligible(aReplica('redis-2', { process: aliveProcess({ activity }) }))).toBe(false);
});

describe('durability: replicated', () => {
  test('one that does not keep up is taken out, and put back when it does', () => {
    expect(decided({ behindMs: 2900 }, replicated)).toBeUndefined();
    expect(decided({ behindMs: 3000 }, replicated)).toBe('behind');
    expect(decided({ behindMs: 3000 }, async)).toBeUndefined();
    expect(decided({ priority: 0, heldBack: true, behindMs: 3000 }, replicated)).toBeUndefined();
    expect(decided({ priority: 0, heldBack: true, behindMs: 1000 }, replicated)).toBe('replica-eligible');
  });

  test('one that has copied everything is put back when the primary says that it has caught up', () => {
    const copied = { priority: 0, heldBack: true, caughtUp: false, awaited: false };
    expect(decided(copied, replicated)).toBeUndefined();
    expect(decided({ ...copied, caughtUp: true }, replicated)).toBe('replica-eligible');
    expect(decided(copied, async)).toBe('replica-eligible');
  });

  test('one that may lack what was acknowledged takes over only when there has been no primary for long', () => {
    const unsure = withReplica({ awaited: false });
    const ids = (rules: EligibilityRules, view: View) => heirs(view, rules, nowMs).map(({ id }) => id);
    expect(ids(replicated, unsure)).toEqual(['redis-3']);
    expect(ids(async, unsure)).toEqual(['redis-2', 'redis-3']);
    const goneFor = (ms: number) => ({ ...unsure, noPrimarySinceMs: nowMs - ms });
    expect(ids(replicated, goneFor(9000))).toEqual(['redis-3']);
    expect(ids(replicated, goneFor(10_000))).toEqual(['redis-2', 'redis-3']);
  });

  test('nobody is taken out for one that may lack what was acknowledged', () => {
    const members = [
      aPrimary('redis-1'),
      aReplica('redis-2', { behindMs: 5000 }),
      aReplica('redis-3', { awaited: false, process: null }),
    ];
    expect(decideEligibility(aView({ members }), replicated, nowMs)).toBeUndefined();
  });

  test('the last one that could be promoted stays', () => {
    for (const other of [{ linkUp: false }, { priority: 0 }, { behindMs: 2000 }, { synced: false }]) {
      const members = [
        aPrimary('redis-1'),
        aReplica('redis-2', { behindMs: 5000 }),
        aReplica('redis-3', { ...other, process: null }),
      ];
      expect(decideEligibility(aView({ members }), replicated, nowMs)).toBeUndefined();
    }
  });
});

describe('the way to the primary is broken from this host, and another one’s is whole', () => {
  const gone = aPrimary('redis-1', { process: null, reachable: false });
  const deaf: Partial<MemberView> = { linkSilentMs: 4000, offset: 1000 };
  const view = (
    own: Partial<MemberView>,
    other: Partial<MemberView> = {},
    changes: Partial<View> = {},
  ): View => {
    const hearing = aReplica('redis-3', { process: null, linkSilentMs: 1000, offset: 1100, ...other });
    return aView({ members: [gone, aReplica('redis-2', { ...deaf, ...own }), hearing], ...changes });
  };
  const code = (what: View, rules = replicated) => {
    const decision = decideEligibility(what, rules, nowMs);
    return decision && 'code' in decision ? `${decision.member} ${decision.code}` : undefined;
  };

  test('with replicated durability the one that hears nothing is not to be promoted', () => {
    expect(code(view({}))).toBe('redis-2 cut-off');
    expect(code(view({ linkUp: false }))).toBe('redis-2 cut-off');
    expect(code(view({}), async)).toBeUndefined();
  });

  test('not when it hears, has everything, is out already, or is another host’s', () => {
    for (const own of [
      { linkSilentMs: 2000 },
      { linkUp: false, linkSilentMs: 0 },
      { offset: 1100 },
      { priority: 0 },
      { process: null },
    ])
      expect(code(view(own))).toBeUndefined();
  });

  test('not as long as the other hears nothing either, or could not take over with all that was acknowledged', () => {
    const others: Partial<MemberView>[] = [
      ...[{ linkSilentMs: 3000 }, { linkUp: false }, { reachable: false }, { busy: loading }],
      // Of one that died they have heard the same.
      { linkSilentMs: 2500 },
      ...[{ awaited: false }, { priority: 0 }, { follows: { address: '127.0.0.1', port: 7109 } }],
    ];
    for (const other of others) expect(code(view({}, other))).toBeUndefined();
  });

  test('not when another one is being promoted, or no majority of Sentinels names the primary', () => {
    expect(code(view({}, {}, { selection: { member: 'redis-3', atMs: 0 } }))).toBeUndefined();
    const sentinels = threeSentinels({ reachable: false });
    expect(code(view({}, {}, { sentinels }))).toBeUndefined();
  });
});

describe('nobody has been in sync since all were started, and the primary does not come back', () => {
  const cold = { priority: 0, heldBack: true, linkUp: false, synced: false };
  const gone = aPrimary('redis-1', { process: null, reachable: false, role: null });
  const view = (others: Partial<MemberView>, changes: Partial<View> = {}) =>
    aView({
      members: [gone, aReplica('redis-2', cold), aReplica('redis-3', { ...cold, process: null, ...others })],
      noPrimarySinceMs: nowMs - 10_000,
      ...changes,
    });
  const kind = (what: View) => decideEligibility(what, async, nowMs)?.kind;

  test('after ten seconds those that hold data may be promoted with it', () => {
    expect(kind(view({}))).toBe('replica-eligible');
    expect(kind(view({}, { noPrimarySinceMs: nowMs - 9000 }))).toBeUndefined();
    expect(kind(view({}, { sentinels: threeSentinels({ reachable: false }) }))).toBeUndefined();
  });

  test('not as long as there may be one that is in sync, or only others hold data', () => {
    expect(kind(view({ reachable: false }))).toBeUndefined();
    expect(kind(view({ busy: loading }))).toBeUndefined();
    expect(kind(view({ synced: true }))).toBeUndefined();
    const empty = view({ keys: 10 });
    const members = empty.members.map((member) =>
      member.id === 'redis-2' ? { ...member, keys: 0 } : member,
    );
    expect(kind({ ...empty, members })).toBeUndefined();
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
  const sample = fc.sample(fc.tuple(views, anyRules), { numRuns: 12_000, seed: 7 });
  const found = sample.map(([view, rules]) => decideEligibility(view, rules, nowMs));
  const count = (word: string) =>
    found.filter((each) => each && (each.kind === word || ('code' in each && each.code === word))).length;
  const words = ['replica-eligible', 'not-synced', 'link-broken', 'behind'];
  expect(count('cut-off')).toBeGreaterThan(4);
  expect(words.filter((word) => count(word) < 10)).toEqual([]);
});

test('whatever is seen: only own replicas that answer, only with a primary that answers, and never an operator’s 0', () => {
  fc.assert(
    fc.property(views, anyRules, (view, rules) => {
      const decision = decideEligibility(view, rules, nowMs);
      if (decision === undefined) return;
      const member = view.members.find(({ id }) => id === decision.member);
      expect(member).toMatchObject({ reachable: true, role: 'replica', process: { running: true } });
      const lastResort = decision.kind === 'replica-eligible' && actingPrimary(view) === null;
      if (lastResort) {
        expect(view.members.filter((each) => isEligible(each))).toEqual([]);
        expect(nowMs - (view.noPrimarySinceMs ?? nowMs)).toBeGreaterThanOrEqual(10_000);
        expect(member).toMatchObject({ priority: 0, heldBack: true });
        return;
      }
      if (decision.kind === 'replica-ineligible' && decision.code === 'cut-off') {
        const { offset = 0, priority } = member as MemberView;
        expect(priority).toBeGreaterThan(0);
        const better = (each: MemberView) => isEligible(each) && each.linkUp && each.offset > offset;
        expect(view.members.some(better)).toBe(true);
        return;
      }
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
      const decision = decideEligibility(view, rules, nowMs);
      if (decision === undefined) return;
      const eligible = decision.kind === 'replica-eligible';
      const members = view.members.map((member) =>
        member.id === decision.member
          ? { ...member, priority: eligible ? 100 : 0, heldBack: !eligible }
          : member,
      );
      expect(decideEligibility({ ...view, members }, rules, nowMs)?.member).not.toBe(decision.member);
    }),
    { numRuns: 2000 },
  );
});
