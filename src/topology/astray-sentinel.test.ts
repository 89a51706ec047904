import { expect, test } from 'vitest';
import { aDeadMember, aPrimary, aReplica, aSentinel, aView } from '../../test/support/views.ts';
import { findAstray } from './astray-sentinel.ts';
import type { MemberView, SentinelView, View } from './view.ts';

const nowMs = 100_000;
const settled = { namedSinceMs: nowMs - 20_000 };
const withFirst = (first: Partial<SentinelView>, changes: Partial<View> = {}) =>
  aView({
    ...settled,
    sentinels: [aSentinel('sentinel-1', first), aSentinel('sentinel-2'), aSentinel('sentinel-3')],
    ...changes,
  });
const find = (first: Partial<SentinelView>, changes?: Partial<View>) =>
  findAstray(withFirst(first, changes), nowMs);
const forgot = { watchesNothing: true, reachable: false, primary: null } as const;

test('one that watches nothing is told at once whom the others name', () => {
  const told = { process: 'sentinel-1', primary: 'redis-1', code: 'watches-nothing' };
  expect(find(forgot)).toMatchObject(told);
  expect(find(forgot, { namedSinceMs: nowMs })).toMatchObject(told);
  expect(find(forgot, { selection: { member: 'redis-1', atMs: 0 } })).toMatchObject(told);
});

test('when no Sentinel names anybody, the only member that acts as primary counts', () => {
  const sentinels = ['sentinel-1', 'sentinel-2', 'sentinel-3'].map((id) => aSentinel(id, forgot));
  expect(findAstray(aView({ sentinels }), nowMs)).toMatchObject({ primary: 'redis-1' });
  const [, ...others] = sentinels;
  const some = [aSentinel('sentinel-1'), ...others];
  expect(findAstray(aView({ sentinels: some }), nowMs)).toMatchObject({ process: 'sentinel-2' });
  const another = [aSentinel('sentinel-1', { primary: 'redis-2' }), ...others];
  expect(findAstray(aView({ sentinels: another }), nowMs)).toBeUndefined();
  const members = [aPrimary('redis-1'), aPrimary('redis-2'), aReplica('redis-3')];
  expect(findAstray(aView({ sentinels, members }), nowMs)).toBeUndefined();
});

test('one of another host is its own agent’s', () => {
  expect(find({ ...forgot, process: null })).toBeUndefined();
});

test('one that watches another server is told when its colleagues can’t have been late', () => {
  for (const primary of ['redis-2', null]) {
    expect(find({ primary })).toMatchObject({ primary: 'redis-1', code: 'watches-another' });
    expect(find({ primary }, { namedSinceMs: nowMs - 5000 })).toBeUndefined();
    expect(find({ primary, configEpoch: 2 })).toBeUndefined();
    expect(find({ primary, toldAtMs: nowMs - 10_000 })).toBeUndefined();
    // The first that heard of a change, whose epoch is not known yet.
    expect(find({ primary, namesSinceMs: nowMs - 100 })).toBeUndefined();
    expect(find({ primary, tilt: true })).toBeUndefined();
  }
});

test('it may have voted: not while a failover is under way', () => {
  const primary = 'redis-2';
  expect(find({ primary, failoverInProgress: true })).toBeUndefined();
  expect(find({ primary }, { vote: { atMs: nowMs, ours: false } })).toBeUndefined();
  expect(find({ primary }, { selection: { member: 'redis-3', atMs: nowMs } })).toBeUndefined();
});

test('one that calls a primary down that answers can’t log in there', () => {
  expect(find({ saysDown: true })).toMatchObject({ code: 'cannot-ask' });
  const members = [aPrimary('redis-1', { unansweredMs: 300 }), aReplica('redis-2'), aReplica('redis-3')];
  expect(find({ saysDown: true }, { members })).toBeUndefined();
  // The network between the two was whole again a moment ago: the Sentinel has not noticed yet.
  for (const answersSinceMs of [null, nowMs - 4900]) {
    const [first, ...others] = members as [MemberView, ...MemberView[]];
    const back = [{ ...first, unansweredMs: 0, answersSinceMs }, ...others];
    expect(find({ saysDown: true }, { members: back })).toBeUndefined();
  }
  expect(find({ saysDown: true, toldAtMs: nowMs - 10_000 })).toBeUndefined();
});

test('nobody acts as primary: the Sentinels left say whom to name, then what all of them said last', () => {
  const members = [aDeadMember('redis-1', nowMs), aReplica('redis-2'), aReplica('redis-3')];
  const last = (primary: string | null, configEpoch: number, changes: Partial<SentinelView> = {}) => ({
    ...{ watchesNothing: true, reachable: false, forgotLately: true, primary, configEpoch },
    ...changes,
  });
  const told = (each: Partial<SentinelView>[], changes: Partial<View> = {}) => {
    const sentinels = each.map((one, i) => aSentinel(`sentinel-${i + 1}`, one));
    return findAstray(aView({ sentinels, members, ...changes }), nowMs)?.primary;
  };
  const all = [last('redis-1', 3), last('redis-1', 3), last('redis-2', 2)];
  expect(told(all)).toBe('redis-1');
  expect(told([last('redis-1', 3), last('redis-2', 3), last('redis-1', 3)])).toBeUndefined();
  // One was told a moment ago, and this agent remembers another: its name counts.
  expect(told([{ primary: 'redis-2', configEpoch: 0 }, ...all.slice(1)])).toBe('redis-2');
  expect(told([{ primary: null }, ...all.slice(1)])).toBeUndefined();
  // The others can't be reached: they may name somebody.
  const away = { reachable: false };
  expect(told([last('redis-1', 3), away, away])).toBeUndefined();
  // Something may still come of it.
  expect(told(all, { vote: { atMs: nowMs - 100, ours: true } })).toBeUndefined();
  expect(told(all, { vote: { atMs: nowMs - 1000, ours: true } })).toBe('redis-1');
  expect(told(all, { selection: { member: 'redis-2', atMs: nowMs } })).toBeUndefined();
});

test('a memory that may be old counts only where no other agent can know better', () => {
  const members = [aDeadMember('redis-1', nowMs), aReplica('redis-2'), aReplica('redis-3')];
  const old = { ...forgot, primary: 'redis-1', forgotLately: false } as const;
  const told = (first: Partial<SentinelView>, others: Partial<SentinelView> = first, seen = members) => {
    const sentinels = [
      aSentinel('sentinel-1', first),
      aSentinel('sentinel-2', others),
      aSentinel('sentinel-3', others),
    ];
    return findAstray(aView({ sentinels, members: seen }), nowMs)?.primary;
  };
  expect(told(old)).toBe('redis-1');
  expect(told(old, { ...old, process: null })).toBeUndefined();
  expect(told({ ...old, forgotLately: true }, { ...old, process: null })).toBe('redis-1');
  // An agent that has just started: what the one before wrote down.
  const wrote = members.map(
    (each) => ({ ...each, lastRole: each.id === 'redis-1' ? 'primary' : 'replica' }) as const,
  );
  expect(told(forgot, forgot, wrote)).toBe('redis-1');
  expect(told(forgot, { ...forgot, process: null }, wrote)).toBeUndefined();
});
