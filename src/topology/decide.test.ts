import { describe, expect, test } from 'vitest';
import {
  aDeadMember,
  aliveProcess,
  aPrimary,
  aReplica,
  aView,
  deadProcess,
  loading,
  threeSentinels,
} from '../../test/support/views.ts';
import { unknownActivity } from './activity.ts';
import { decide, isBesidePlans } from './decide.ts';
import { type DecideRules, type Decision, decisionKey } from './decision.ts';
import { firstRecord } from './in-sync-record.ts';
import type { MemberView, View } from './view.ts';

const rules: DecideRules = {
  rank: 0,
  sentinel: { quorum: 2, detectAfterMs: 3000 },
  gate: { durability: 'async' as const },
  agent: { hangAfterMs: 5000, restarts: { limit: 5, withinMs: 60_000 } },
};
const nowMs = 1_000_000;

const decideOn = (changes: Partial<View> = {}, atMs = nowMs) => decide(aView(changes), rules, atMs);
/** redis-1, the primary, died just now. */
const crashed = (
  changes: Partial<View> = {},
  { second = {}, third = {} }: { second?: Partial<MemberView>; third?: Partial<MemberView> } = {},
): View =>
  aView({
    members: [aDeadMember('redis-1', nowMs), aReplica('redis-2', second), aReplica('redis-3', third)],
    ...changes,
  });

test('nothing is done when nothing is wrong', () => {
  expect(decideOn()).toEqual({ kind: 'nothing', code: 'all-well', reason: 'all is as it should be' });
});

describe('paused, or during a planned change', () => {
  const troubles = {
    'a hung member': aView({ members: [aPrimary('redis-1', { reachable: false, silentMs: 60_000 })] }),
    'a dead primary': crashed(),
    'a dead replica': aView({ members: [aPrimary('redis-1'), aDeadMember('redis-2', nowMs)] }),
  };
  test.each(Object.entries(troubles))('%s is left alone', (_name, view) => {
    expect(decide(view, rules, nowMs).kind).not.toBe('nothing');
    expect(decide({ ...view, paused: true }, rules, nowMs)).toEqual({
      kind: 'nothing',
      code: 'paused',
      reason: 'automatic actions are paused',
    });
    expect(decide({ ...view, operation: 'a switchover' }, rules, nowMs)).toEqual({
      kind: 'nothing',
      code: 'planned-change',
      reason: 'a switchover is under way',
    });
  });
});

describe('a planned change that waits for the primary in vain', () => {
  const during = (view: View, changes: Partial<View> = {}) =>
    decide({ ...view, operation: 'a restart', givesWay: true, ...changes }, rules, nowMs);

  test('gives way when the agent would stand for election', () => {
    expect(during(crashed())).toEqual({
      kind: 'give-way',
      member: 'redis-1',
      code: 'process-gone',
      reason: 'the process of the primary redis-1 is gone',
    });
    const standAgainAtMs = nowMs + 50;
    expect(during(crashed({ standAgainAtMs })).kind).toBe('nothing');
  });

  test('gives way to a primary that was stopped by a signal, not to one that is silent', () => {
    const stopped = aliveProcess({ activity: { ...unknownActivity, stoppedMs: 500 } });
    const primary = (changes: Partial<MemberView>) =>
      aView({ members: [aPrimary('redis-1', changes), aReplica('redis-2')] });
    expect(during(primary({ process: stopped }))).toMatchObject({ kind: 'give-way', code: 'stopped' });
    expect(during(primary({ reachable: false, silentMs: 60_000 })).kind).toBe('nothing');
  });

  test('whatever is under way, a process that was stopped by a signal is killed, unless the agent ends', () => {
    const stopped = aliveProcess({ activity: { ...unknownActivity, stoppedMs: 500 } });
    const view = aView({ members: [aPrimary('redis-1'), aReplica('redis-2', { process: stopped })] });
    const kill = { kind: 'kill', process: 'redis-2', code: 'stopped' };
    expect(during(view)).toMatchObject(kill);
    expect(during(view, { givesWay: false })).toMatchObject(kill);
    expect(during(view, { ending: true }).kind).toBe('nothing');
    expect(during(view, { paused: true }).kind).toBe('nothing');
    const silent = aReplica('redis-2', { reachable: false, silentMs: 60_000 });
    expect(during(aView({ members: [aPrimary('redis-1'), silent] })).kind).toBe('nothing');
    const putOff = decide({ ...view, operation: 'a restart' }, rules, nowMs, () => true);
    expect(putOff).toMatchObject({ kind: 'nothing', code: 'planned-change' });
  });

  test.each(['sentinels', 'gates'] as const)(
    'whatever is under way, one of the %s that died is started again, unless the agent starts or ends',
    (what) => {
      const [first, ...rest] = aView()[what];
      const died = (changes = {}) => ({
        [what]: [{ ...first, process: deadProcess(nowMs - 1, changes) }, ...rest],
      });
      const { id } = first as { id: string };
      const view = aView(died());
      const restart = { kind: 'restart', process: id, as: { kind: 'as-configured' } };
      expect(during(view)).toMatchObject(restart);
      expect(isBesidePlans(during(view))).toBe(true);
      expect(during(view, { givesWay: false })).toMatchObject(restart);
      for (const changes of [{ helpersKept: false }, { ending: true }, { paused: true }])
        expect(during(view, changes).kind).toBe('nothing');
      // Within its budget.
      expect(during(aView(died({ failed: true }))).kind).toBe('nothing');
      const often = [5, 4, 3, 2, 1].map((ago) => nowMs - ago);
      expect(during(aView(died({ restartsMs: often }))).kind).toBe('nothing');
    },
  );

  test('only waits: what there is to do is done, and a lost primary goes before all', () => {
    const rests = { operationRests: true };
    const replicaLost = aView({ members: [aPrimary('redis-1'), aDeadMember('redis-2', nowMs)] });
    expect(during(replicaLost, rests)).toMatchObject({ kind: 'restart', process: 'redis-2' });
    expect(during(aView(), rests).kind).toBe('nothing');
    expect(during(crashed(), rests).kind).toBe('give-way');
  });

  test('goes on when nobody can take over, when a replica is lost, or when it is of a kind that does not give way', () => {
    const unfit = { synced: false, linkUp: false };
    expect(during(crashed({}, { second: unfit, third: unfit })).kind).toBe('nothing');
    const replicaLost = aView({ members: [aPrimary('redis-1'), aDeadMember('redis-2', nowMs)] });
    expect(during(replicaLost).kind).toBe('nothing');
    expect(during(crashed(), { givesWay: false }).kind).toBe('nothing');
    expect(during(crashed(), { paused: true }).kind).toBe('nothing');
  });
});

describe('a member that is silent', () => {
  const silent = (changes: Partial<MemberView>) =>
    decideOn({ members: [aPrimary('redis-1'), aReplica('redis-2', { reachable: false, ...changes })] });

  test('is killed after hangAfter, not before', () => {
    expect(silent({ silentMs: 4999 }).kind).toBe('nothing');
    expect(silent({ silentMs: 5000 })).toMatchObject({ kind: 'kill', process: 'redis-2' });
  });

  test('gives the same reason however long it has been, so that a kill that fails is paced', () => {
    expect(silent({ silentMs: 5000 })).toEqual(silent({ silentMs: 5250 }));
  });

  test('that said it was loading or busy is alive', () => {
    expect(silent({ silentMs: 60_000, busy: loading }).kind).toBe('nothing');
  });

  test('on another host is not ours to kill', () => {
    expect(silent({ silentMs: 60_000, process: null }).kind).toBe('nothing');
  });

  test('whose process is dead is restarted, not killed', () => {
    expect(silent({ silentMs: 60_000, process: deadProcess(nowMs - 1) }).kind).toBe('restart');
  });

  test('is dealt with before anything else', () => {
    const members = [
      aDeadMember('redis-1', nowMs),
      aReplica('redis-2'),
      aReplica('redis-3', { silentMs: 9000 }),
    ];
    expect(decideOn({ members })).toMatchObject({ kind: 'kill', process: 'redis-3' });
  });
});

describe('our primary’s process is gone', () => {
  test('this agent stands for election at once, whatever its rank', () => {
    expect(decide(crashed(), { ...rules, rank: 2 }, nowMs)).toEqual({
      kind: 'stand',
      member: 'redis-1',
      code: 'process-gone',
      reason:
        'the process of the primary redis-1 is gone and redis-2, redis-3 can take over: this agent stands for election',
    });
  });

  test('a primary of another host is not ours to replace', () => {
    const view = crashed({
      members: [
        aPrimary('redis-1', { process: null, reachable: false, silentMs: 60_000 }),
        aReplica('redis-2'),
      ],
    });
    expect(decide(view, rules, nowMs).kind).toBe('nothing');
  });

  test('a primary that was stopped on purpose is not replaced', () => {
    const stopped = aDeadMember('redis-1', nowMs, { process: deadProcess(0, { diedAtMs: null }) });
    expect(decide(crashed({ members: [stopped, aReplica('redis-2')] }), rules, nowMs).kind).toBe('nothing');
  });

  test('a dead replica is no reason to stand', () => {
    const decision = decideOn({
      members: [aPrimary('redis-1'), aDeadMember('redis-2', nowMs), aReplica('redis-3')],
    });
    expect(decision).toMatchObject({ kind: 'restart', process: 'redis-2' });
  });

  test.each([
    ['two of three do not answer', [{ reachable: false }, { reachable: false }, {}]],
    ['two of three are in TILT', [{ tilt: true }, { tilt: true }, {}]],
    ['one is in TILT and one does not answer', [{ tilt: true }, { reachable: false }, {}]],
  ])('nobody stands without quorum: %s', (_name, changes) => {
    expect(decide(crashed({ sentinels: threeSentinels(changes) }), rules, nowMs).kind).not.toBe('stand');
  });

  test('a quorum above the majority counts', () => {
    const strict = { ...rules, sentinel: { quorum: 3, detectAfterMs: 3000 } };
    expect(decide(crashed(), strict, nowMs).kind).toBe('stand');
    const sentinels = threeSentinels([{ reachable: false }, {}, {}]);
    expect(decide(crashed({ sentinels }), strict, nowMs).kind).not.toBe('stand');
    expect(decide(crashed({ sentinels }), rules, nowMs).kind).toBe('stand');
  });

  test.each<[string, Partial<MemberView>]>([
    ['does not answer', { reachable: false, silentMs: 3000 }],
    ['is loading', { busy: loading }],
    ['never completed a synchronisation', { synced: false, linkUp: false }],
    ['has priority 0', { priority: 0 }],
    ['has a dead process', { process: deadProcess(nowMs) }],
  ])('nobody stands when every replica %s', (_name, unfit) => {
    expect(decide(crashed({}, { second: unfit, third: unfit }), rules, nowMs).kind).not.toBe('stand');
    const oneIsFit = decide(crashed({}, { second: unfit }), rules, nowMs);
    expect(oneIsFit).toMatchObject({ kind: 'stand', reason: expect.stringContaining('and redis-3 can') });
  });

  test('a replica of another host can take over', () => {
    const third = { process: null };
    expect(decide(crashed({}, { second: { priority: 0 }, third }), rules, nowMs).kind).toBe('stand');
  });
});

describe('never two elections of one death', () => {
  const kindOn = (changes: Partial<View>, members = {}) =>
    decide(crashed(changes, members), rules, nowMs).kind;

  test('not elected a moment ago: not again before it may', () => {
    const view = crashed({ standAgainAtMs: nowMs + 50 });
    expect(decide(view, rules, nowMs)).toMatchObject({ kind: 'nothing', untilMs: nowMs + 50 });
    expect(kindOn({ standAgainAtMs: nowMs })).toBe('stand');
  });

  test('someone else was voted for: not before half a second', () => {
    const vote = { atMs: nowMs - 499, ours: false };
    expect(decide(crashed({ vote }), rules, nowMs)).toMatchObject({ kind: 'nothing', untilMs: nowMs + 1 });
    expect(kindOn({ vote: { ...vote, atMs: nowMs - 500 } })).toBe('stand');
    expect(kindOn({ vote: { atMs: nowMs, ours: true } })).toBe('stand');
  });

  test('a Sentinel is at it', () => {
    expect(kindOn({ sentinels: threeSentinels([{}, {}, { failoverInProgress: true }]) })).toBe('nothing');
  });

  test('what a Sentinel that has gone away was at does not hold us up', () => {
    const sentinels = threeSentinels([{}, {}, { failoverInProgress: true, reachable: false }]);
    expect(kindOn({ sentinels })).toBe('stand');
  });

  test('one was selected, even before the death: the Sentinels may be rid of a hung primary before we kill it', () => {
    expect(kindOn({ selection: { member: 'redis-2', atMs: nowMs + 1 } })).not.toBe('stand');
    expect(kindOn({ selection: { member: 'redis-2', atMs: nowMs - 1000 } })).not.toBe('stand');
  });

  test('a selection of the lost one itself is over', () => {
    expect(kindOn({ selection: { member: 'redis-1', atMs: nowMs - 1000 } })).toBe('stand');
  });

  test('one acts as primary already, though its selection was missed and the Sentinels don’t name it yet', () => {
    const second = { role: 'primary', follows: null } as const;
    expect(kindOn({}, { second })).not.toBe('stand');
    expect(kindOn({}, { second: { ...second, process: null } })).not.toBe('stand');
  });
});

test('who leaves is the same decision whatever the try before has left behind; who else leaves is another', () => {
  const leaves = (epoch: number, leaving: string[]): Decision => ({
    ...{ kind: 'in-sync-leaves', member: 'redis-1', leaving, reason: 'it is down' },
    before: firstRecord('redis-1', epoch),
  });
  expect(decisionKey(leaves(2, ['redis-2']))).toBe(decisionKey(leaves(1, ['redis-2'])));
  expect(decisionKey(leaves(1, ['redis-3']))).not.toBe(decisionKey(leaves(1, ['redis-2'])));
});
