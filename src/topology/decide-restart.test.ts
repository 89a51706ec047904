import { describe, expect, test } from 'vitest';
import {
  aDeadMember,
  aGate,
  aPrimary,
  aReplica,
  aSentinel,
  aView,
  deadProcess,
  loading,
  threeSentinels,
} from '../../test/support/views.ts';
import { decide } from './decide.ts';
import type { DecideRules, Decision } from './decision.ts';
import type { MemberView, Refusal, View } from './view.ts';

const rules: DecideRules = {
  rank: 0,
  sentinel: { quorum: 2, detectAfterMs: 3000 },
  gate: { durability: 'async' as const },
  agent: { hangAfterMs: 5000, restarts: { limit: 5, withinMs: 60_000 } },
};
const nowMs = 1_000_000;
const decideOn = (changes: Partial<View> = {}) => decide(aView(changes), rules, nowMs);

/** What the agent notes of a refusal. */
function refusalOf(decision: Decision): Refusal {
  if (decision.kind !== 'refuse') throw new Error(`it was not refused but ${decision.kind}`);
  const { code, about, reason } = decision;
  return { code, about, reason };
}

describe('a process of ours died', () => {
  test('a Sentinel and a gate are started as they are configured', () => {
    const sentinels = [aSentinel('sentinel-1', { reachable: false, process: deadProcess(nowMs) })];
    expect(decideOn({ sentinels: [...sentinels, ...threeSentinels().slice(1)] })).toEqual({
      kind: 'restart',
      process: 'sentinel-1',
      as: { kind: 'as-configured' },
      reason: 'sentinel-1 died',
    });
    const gates = [aGate('gate-1', { state: 'down', process: deadProcess(nowMs) })];
    expect(decideOn({ gates })).toMatchObject({ process: 'gate-1', as: { kind: 'as-configured' } });
  });

  test('a replica follows the primary that the Sentinels name', () => {
    const members = [aPrimary('redis-1'), aDeadMember('redis-2', nowMs)];
    expect(decideOn({ members })).toMatchObject({
      process: 'redis-2',
      as: { kind: 'replica', of: 'redis-1' },
    });
  });

  test('a member waits until its files were looked at: what may be done with it depends on them', () => {
    const members = [aPrimary('redis-1'), aDeadMember('redis-2', nowMs, { diskKnown: false })];
    expect(decideOn({ members })).toEqual({
      kind: 'nothing',
      code: 'disk-unknown',
      reason: 'redis-2 is down and what is on its disk is not known yet',
    });
  });

  test('an old primary follows the one that was selected and acts, before the Sentinels agree', () => {
    const follows = { address: '127.0.0.1', port: 7102 };
    const members = [
      aDeadMember('redis-1', nowMs - 200),
      aPrimary('redis-2'),
      aReplica('redis-3', { follows }),
    ];
    const selection = { member: 'redis-2', atMs: nowMs - 100 };
    expect(decideOn({ members, selection })).toMatchObject({
      process: 'redis-1',
      as: { kind: 'replica', of: 'redis-2' },
    });
  });

  test('nobody is started while no majority of Sentinels says whom to follow', () => {
    const members = [aPrimary('redis-1'), aDeadMember('redis-2', nowMs)];
    const sentinels = threeSentinels([{}, { reachable: false }, { primary: null }]);
    expect(decideOn({ members, sentinels })).toEqual({
      kind: 'nothing',
      code: 'no-named-primary',
      reason: 'redis-2 is down; it waits for a majority of Sentinels to say who is primary',
    });
  });

  test('one that waits does not keep another waiting', () => {
    const members = [
      aPrimary('redis-1'),
      aDeadMember('redis-2', nowMs, { process: deadProcess(nowMs, { restartsMs: [nowMs - 10] }) }),
      aDeadMember('redis-3', nowMs),
    ];
    expect(decideOn({ members })).toMatchObject({ kind: 'restart', process: 'redis-3' });
  });
});

test('a member whose disk holds data is not made a copy of an empty primary', () => {
  const kept = { keys: 7, history: 'old' };
  const decideWith = (primary: Partial<MemberView>, refusal: Refusal | null) => {
    const process = deadProcess(nowMs, { refusal });
    const member = aDeadMember('redis-2', nowMs, { process, kept });
    return decideOn({
      members: [aPrimary('redis-1', { process: null, histories: ['new'], ...primary }), member],
    });
  };
  const refused = decideWith({ keys: 0 }, null);
  expect(refused).toMatchObject({ kind: 'refuse', member: 'redis-2' });
  const refusal = refusalOf(refused);
  expect(refusal).toMatchObject({ code: 'would-be-wiped', about: ['redis-1'] });
  expect(decideWith({ keys: 0 }, refusal)).toMatchObject({ kind: 'nothing', code: 'refused' });
  // New writes on the empty primary don't make the old data worthless.
  expect(decideWith({ keys: 3 }, refusal).kind).toBe('nothing');
  expect(decideWith({ reachable: false, keys: null }, refusal).kind).toBe('nothing');
  // Someone emptied the database on purpose: the history is the same.
  expect(decideWith({ keys: 0, histories: ['newer', 'old'] }, null)).toMatchObject({ kind: 'restart' });

  const sentinels = threeSentinels({ primary: 'redis-3', configEpoch: 2 });
  const member = aDeadMember('redis-2', nowMs, { process: deadProcess(nowMs, { refusal }), kept });
  const members = [member, aPrimary('redis-3', { process: null, histories: ['old'], keys: 9 })];
  expect(decideOn({ members, sentinels })).toMatchObject({ as: { kind: 'replica', of: 'redis-3' } });
});

describe('the restart budget', () => {
  const died = (restartsMs: number[], changes = {}) => {
    const process = deadProcess(nowMs, { restartsMs, ...changes });
    return decideOn({ members: [aPrimary('redis-1'), aDeadMember('redis-2', nowMs, { process })] });
  };

  test('says until when it waits, the soonest of several', () => {
    expect(died([nowMs - 5000])).toEqual({
      kind: 'nothing',
      code: 'restart-pause',
      reason: 'redis-2 is restarted after a pause',
      untilMs: nowMs + 200,
    });
    const waiting = (id: string, restartsMs: number[]) =>
      aDeadMember(id, nowMs, { process: deadProcess(nowMs, { restartsMs }) });
    const members = [
      aPrimary('redis-1'),
      waiting('redis-2', [nowMs - 2, nowMs - 1]),
      waiting('redis-3', [nowMs - 1]),
    ];
    expect(decideOn({ members })).toMatchObject({
      reason: expect.stringContaining('redis-3'),
      untilMs: nowMs + 200,
    });
  });

  test('gives up when it is used up, and never touches what was given up', () => {
    const five = [50, 40, 30, 20, 10].map((ago) => nowMs - ago);
    expect(died(five)).toMatchObject({ kind: 'give-up', process: 'redis-2' });
    expect(died(five, { failed: true })).toEqual({
      kind: 'nothing',
      code: 'all-well',
      reason: 'all is as it should be',
    });
    expect(died([], { failed: true }).kind).toBe('nothing');
  });
});

/** The primary redis-1 died `agoMs` ago, the Sentinels still name it, and `others` are as given. */
const died = (
  others: MemberView[],
  changes: Partial<MemberView> = {},
  { agoMs = 100, ...view }: Partial<View> & { agoMs?: number } = {},
) =>
  decideOn({
    members: [aDeadMember('redis-1', nowMs - agoMs, changes), ...others],
    standAgainAtMs: nowMs + 60_000,
    ...view,
  });

describe('a primary never comes back as primary by reflex', () => {
  const unfit = { priority: 0 };

  test('it waits while the Sentinels choose, for 15 s', () => {
    expect(died([aReplica('redis-2'), aReplica('redis-3')])).toEqual({
      kind: 'nothing',
      code: 'being-chosen',
      reason: 'redis-1 is down and the Sentinels are choosing between redis-2, redis-3',
      untilMs: nowMs - 100 + 15_000,
    });
    expect(died([aReplica('redis-2')], {}, { agoMs: 14_999 }).kind).toBe('nothing');
    expect(died([aReplica('redis-2')], {}, { agoMs: 15_000 })).toMatchObject({
      kind: 'restart',
      process: 'redis-1',
      as: { kind: 'primary' },
    });
  });

  test('it starts at once when no replica can take over and its data is on disk', () => {
    expect(died([aReplica('redis-2', unfit)])).toMatchObject({
      kind: 'restart',
      as: { kind: 'primary' },
      reason: expect.stringContaining('no replica took over and its data is there'),
    });
  });

  test('it does not wait for Sentinels that can’t choose', () => {
    const sentinels = threeSentinels([{ tilt: true }, { tilt: true }, {}]);
    expect(died([aReplica('redis-2')], {}, { sentinels })).toMatchObject({ as: { kind: 'primary' } });
  });

  test('a replica that left one question unanswered may still take over', () => {
    const missed = (silentMs: number) => aReplica('redis-2', { reachable: false, silentMs });
    expect(died([missed(0)]).kind).toBe('nothing');
    expect(died([missed(3000)])).toMatchObject({ as: { kind: 'primary' } });
    expect(died([aDeadMember('redis-2', nowMs - 50)])).toMatchObject({ as: { kind: 'primary' } });
  });

  test('it waits for a failover that is under way, however long that takes', () => {
    const selection = { member: 'redis-2', atMs: nowMs - 16_000 };
    const selected = aReplica('redis-2', { reachable: false, silentMs: 4000 });
    expect(died([selected], {}, { selection, agoMs: 17_000 })).toEqual({
      kind: 'nothing',
      code: 'failover',
      reason: 'redis-1 is down and a failover from it is under way',
    });
    const sentinels = threeSentinels([{}, { failoverInProgress: true }, {}]);
    expect(died([aReplica('redis-2', unfit)], {}, { sentinels, agoMs: 17_000 }).kind).toBe('nothing');
  });

  test('it is not started beside one that was promoted, though the Sentinels don’t say so yet', () => {
    const promoted = aPrimary('redis-2', { process: null });
    expect(died([promoted])).toMatchObject({
      kind: 'nothing',
      reason: expect.stringContaining('redis-2 acts as primary'),
      untilMs: nowMs - 100 + 15_000,
    });
    expect(died([promoted], {}, { agoMs: 15_000 })).toMatchObject({ as: { kind: 'primary' } });
  });
});

describe('the empty-primary guard', () => {
  const gone = { dataIntact: false };
  const unfit = { priority: 0 };

  test('a primary whose data is gone is refused while another holds data', () => {
    const decision = died([aReplica('redis-2', unfit), aReplica('redis-3', { ...unfit, keys: 0 })], gone);
    expect(decision).toMatchObject({ kind: 'refuse', member: 'redis-1' });
    expect(decision.reason).toContain('would wipe redis-2');
    expect(decision.reason).not.toContain('redis-3');
  });

  test('after 15 s too', () => {
    expect(died([aReplica('redis-2')], gone, { agoMs: 20_000 }).kind).toBe('refuse');
  });

  test.each<[string, MemberView]>([
    ['does not answer', aReplica('redis-2', { process: null, reachable: false, silentMs: 9000, keys: null })],
    [
      'died as well',
      aDeadMember('redis-2', nowMs - 90, { process: deadProcess(nowMs - 90, { failed: true }) }),
    ],
    ['is still loading', aReplica('redis-2', { ...unfit, busy: loading, keys: 0 })],
  ])('what can’t be asked may hold everything: it %s', (_name, other) => {
    const decision = died([other], gone);
    expect(decision).toMatchObject({
      kind: 'refuse',
      reason: expect.stringContaining("redis-2 can't be asked"),
    });
  });

  test('an RDB or a cut AOF that is older than what a replica holds is not copied over it', () => {
    const stale = { dataStale: true };
    expect(died([aReplica('redis-2', unfit)], stale)).toMatchObject({
      kind: 'refuse',
      reason: expect.stringContaining('make redis-2 copy that'),
    });
    // Nobody has anything newer: what there is, is the best there is.
    expect(died([aReplica('redis-2', { ...unfit, synced: false })], stale).kind).toBe('restart');
    expect(died([aReplica('redis-2', { ...unfit, keys: 0 })], stale).kind).toBe('restart');
    expect(died([aDeadMember('redis-2', nowMs)], stale)).toMatchObject({ as: { kind: 'primary' } });
  });

  test('it is refused once, not again and again', () => {
    const others = [aReplica('redis-2', unfit)];
    const refusal = refusalOf(died(others, gone));
    expect(refusal).toMatchObject({ code: 'would-wipe', about: ['redis-2'] });
    // It is the code that tells, in whatever words it was said.
    const process = deadProcess(nowMs - 100, { refusal: { ...refusal, reason: 'in other words' } });
    expect(died(others, { ...gone, process })).toMatchObject({ kind: 'nothing', code: 'refused' });
    const anotherToo = [...others, aReplica('redis-3', unfit)];
    expect(died(anotherToo, { ...gone, process })).toMatchObject({ about: ['redis-2', 'redis-3'] });
  });

  test('a refused primary does not keep its replicas down: what they hold is found out that way', () => {
    const others = [aDeadMember('redis-2', nowMs - 90)];
    const process = deadProcess(nowMs - 100, { refusal: refusalOf(died(others, gone)) });
    expect(died(others, { ...gone, process })).toMatchObject({
      kind: 'restart',
      process: 'redis-2',
      as: { kind: 'replica', of: 'redis-1' },
    });
  });

  test('it starts empty when every other member says that it is empty too', () => {
    const others = [aReplica('redis-2', { ...unfit, keys: 0 }), aReplica('redis-3', { ...unfit, keys: 0 })];
    expect(died(others, gone)).toMatchObject({
      as: { kind: 'primary' },
      reason: expect.stringContaining('no other member holds data'),
    });
    expect(died([], gone)).toMatchObject({ as: { kind: 'primary' } });
  });

  test('once another took over, a refused member comes back as its replica', () => {
    const process = deadProcess(nowMs - 100, {
      refusal: { code: 'would-wipe', about: [], reason: 'it was refused' },
    });
    const sentinels = threeSentinels({ primary: 'redis-2', configEpoch: 2 });
    const follows = { address: '127.0.0.1', port: 7102 };
    const decision = died(
      [aPrimary('redis-2'), aReplica('redis-3', { follows })],
      { ...gone, process },
      { sentinels },
    );
    expect(decision).toMatchObject({
      kind: 'restart',
      process: 'redis-1',
      as: { kind: 'replica', of: 'redis-2' },
    });
  });
});
