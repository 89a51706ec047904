import { describe, expect, test } from 'vitest';
import { aDeadMember, aPrimary, aReplica, aView, loading, threeSentinels } from '../../test/support/views.ts';
import { decide } from './decide.ts';
import type { DecideRules, Decision } from './decision.ts';
import type { MemberView, View } from './view.ts';

const rules: DecideRules = {
  rank: 0,
  sentinel: { quorum: 2, detectAfterMs: 3000 },
  gate: { durability: 'async' as const },
  agent: { hangAfterMs: 5000, restarts: { limit: 5, withinMs: 60_000 } },
};
const nowMs = 1_000_000;
const decideOn = (changes: Partial<View>) => decide(aView(changes), rules, nowMs);

describe('whom a replica of ours follows', () => {
  const elsewhere = { follows: { address: '127.0.0.1', port: 7109 } };
  const astray = (changes: Partial<MemberView>, primary: Partial<MemberView> = {}) =>
    decideOn({ members: [aPrimary('redis-1', primary), aReplica('redis-2', changes)] });

  test('one that follows someone else, or no one known, is pointed at the primary', () => {
    expect(astray(elsewhere)).toEqual({
      kind: 'follow',
      member: 'redis-2',
      primary: 'redis-1',
      code: 'astray',
      reason: 'redis-2 follows another server; the primary is redis-1',
    });
    expect(astray({ follows: null }).kind).toBe('follow');
    expect(astray({ follows: { address: '10.0.0.9', port: 7101 } }).kind).toBe('follow');
  });

  test('one that is fenced is told again; but not in an earlier epoch than the last time', () => {
    const epoch = aView({}).sentinels[0]?.configEpoch ?? 0;
    expect(astray({ fenced: true, toldIn: epoch }).kind).toBe('follow');
    expect(astray({ fenced: true, toldIn: epoch + 1 }).kind).toBe('nothing');
    expect(astray({ ...elsewhere, toldIn: epoch + 1 }).kind).toBe('nothing');
  });

  test.each<[string, Partial<MemberView>]>([
    ['of another host', { process: null }],
    ['that does not answer', { reachable: false }],
    ['that is loading', { busy: loading }],
  ])('one %s is left alone', (_name, changes) => {
    expect(astray({ ...elsewhere, ...changes }).kind).toBe('nothing');
  });

  test.each<[string, Partial<MemberView>]>([
    ['does not answer', { reachable: false }],
    ['acts as a replica', { role: 'replica' }],
  ])('nobody is pointed at a named primary that %s', (_name, primary) => {
    expect(astray(elsewhere, { process: null, ...primary }).kind).toBe('nothing');
  });

  test('all are pointed at the one that was selected, once it acts as primary and the old one is gone', () => {
    const selection = { member: 'redis-2', atMs: nowMs - 50 };
    const old = aPrimary('redis-1', { process: null, reachable: false, silentMs: 3000 });
    const members = [old, aPrimary('redis-2', { process: null }), aReplica('redis-3')];
    expect(decideOn({ members, selection })).toMatchObject({
      kind: 'follow',
      member: 'redis-3',
      primary: 'redis-2',
    });
    // During a planned change the old one lives, and whoever runs it turns the others.
    expect(decideOn({ members: [{ ...old, reachable: true }, ...members.slice(1)], selection }).kind).toBe(
      'nothing',
    );
  });
});

test('one that can’t be pointed at the primary now keeps nobody else from it, nor what died from its start', () => {
  const astray = { follows: { address: '127.0.0.1', port: 7103 } };
  const members = [
    aPrimary('redis-1'),
    aReplica('redis-2', astray),
    aReplica('redis-3', { follows: { address: '127.0.0.1', port: 7102 } }),
  ];
  const first = decide(aView({ members }), rules, nowMs);
  expect(first).toMatchObject({ kind: 'follow', member: 'redis-2' });
  const refused = (decision: Decision) => decision.kind === 'follow' && decision.member === 'redis-2';
  expect(decide(aView({ members }), rules, nowMs, refused)).toMatchObject({
    kind: 'follow',
    member: 'redis-3',
  });
  const dead = [aPrimary('redis-1'), aReplica('redis-2', astray), aDeadMember('redis-3', nowMs - 20_000)];
  expect(decide(aView({ members: dead }), rules, nowMs, refused)).toMatchObject({
    kind: 'restart',
    process: 'redis-3',
  });
});

describe('a second primary', () => {
  const follows = { address: '127.0.0.1', port: 7102 };
  /** redis-1 of ours acts as primary, and the Sentinels have their own mind. */
  const second = (
    sentinels: View['sentinels'],
    changes: Partial<View> = {},
    member: Partial<MemberView> = {},
  ) =>
    decideOn({
      members: [
        aPrimary('redis-1', member),
        aPrimary('redis-2', { process: null }),
        aReplica('redis-3', { follows }),
      ],
      sentinels,
      ...changes,
    });
  const replaced = threeSentinels({ primary: 'redis-2', configEpoch: 2 });

  test('that the Sentinels have replaced is demoted', () => {
    expect(second(replaced)).toEqual({
      kind: 'follow',
      member: 'redis-1',
      primary: 'redis-2',
      code: 'second-primary',
      reason: 'redis-1 acts as a second primary; the primary is redis-2',
    });
    const late = threeSentinels([
      {},
      { primary: 'redis-2', configEpoch: 2 },
      { primary: 'redis-2', configEpoch: 2 },
    ]);
    expect(second(late).kind).toBe('follow');
  });

  test('is left alone while a Sentinel names it at an epoch as high as the majority’s: its election may be news', () => {
    const named = (configEpoch: number, reachable = true) =>
      threeSentinels([
        { primary: 'redis-1', configEpoch, reachable },
        { primary: 'redis-2', configEpoch: 2 },
        { primary: 'redis-2', configEpoch: 2 },
      ]);
    expect(second(named(3)).kind).toBe('nothing');
    expect(second(named(2)).kind).toBe('nothing');
    expect(second(named(1)).kind).toBe('follow');
    expect(second(named(3, false)).kind).toBe('follow');
  });

  test('is left alone while a Sentinel is at replacing the primary, and so is who follows it already', () => {
    const old = { primary: 'redis-2', configEpoch: 1 };
    const failing = (changes: Partial<View['sentinels'][number]> = {}) =>
      threeSentinels([{ ...old, failoverInProgress: true, ...changes }, old, old]);
    const astray = [
      aPrimary('redis-1', { process: null }),
      aPrimary('redis-2', { process: null }),
      aReplica('redis-3', { follows: { address: '127.0.0.1', port: 7101 } }),
    ];
    expect(second(failing()).kind).toBe('nothing');
    expect(second(failing(), { members: astray }).kind).toBe('nothing');
    // What it was at before it was lost counts for nothing, nor a failover that the others have heard the end of.
    expect(second(failing({ reachable: false })).kind).toBe('follow');
    expect(second(failing({ reachable: false }), { members: astray }).kind).toBe('follow');
    expect(second(failing({ primary: 'redis-3' })).kind).toBe('follow');
  });

  test('is left alone while a selection is on its way', () => {
    expect(second(replaced, { selection: { member: 'redis-1', atMs: nowMs - 10 } }).kind).toBe('nothing');
  });

  test('is left alone without a majority, and when the named one does not act as primary', () => {
    expect(
      second(threeSentinels([{ primary: 'redis-2' }, { reachable: false }, { primary: null }])).kind,
    ).toBe('nothing');
    const members = [aPrimary('redis-1'), aPrimary('redis-2', { process: null, reachable: false })];
    expect(decideOn({ members, sentinels: replaced }).kind).toBe('nothing');
  });

  test('of another host is for its own agent', () => {
    expect(second(replaced, {}, { process: null }).kind).toBe('nothing');
  });
});
