import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aPrimary, aReplica, aSentinel, aView, loading, threeSentinels } from '../../test/support/views.ts';
import { actingPrimary, namedPrimary, notCalm, type View } from './view.ts';

describe('whom the Sentinels name', () => {
  const named = (...sentinels: Parameters<typeof threeSentinels>[0][]) =>
    namedPrimary(aView({ sentinels: threeSentinels(sentinels as object[]) }));
  const two = { primary: 'redis-2', configEpoch: 2 };

  test('is whom a majority of all of them names, not of those that answer', () => {
    expect(named({}, {}, {})).toEqual({ id: 'redis-1', epoch: 1 });
    expect(named(two, {}, {})).toEqual({ id: 'redis-1', epoch: 1 });
    expect(named(two, two, {})).toEqual({ id: 'redis-2', epoch: 2 });
    expect(named({}, {}, { reachable: false })).toEqual({ id: 'redis-1', epoch: 1 });
    expect(named({}, { reachable: false }, { reachable: false })).toBeNull();
    expect(named({}, two, { reachable: false })).toBeNull();
  });

  test('is nobody when they name someone who is not in the spec', () => {
    expect(named({ primary: null }, { primary: null }, {})).toBeNull();
    expect(named({ primary: null }, {}, {})).toEqual({ id: 'redis-1', epoch: 1 });
  });

  test('has the highest epoch of those who agree, whatever the others have', () => {
    expect(named({ configEpoch: 3 }, { configEpoch: 5 }, { primary: 'redis-2', configEpoch: 9 })).toEqual({
      id: 'redis-1',
      epoch: 5,
    });
  });

  test('of four Sentinels two are no majority', () => {
    const four = (...words: string[]) =>
      namedPrimary(aView({ sentinels: words.map((primary, i) => aSentinel(`sentinel-${i}`, { primary })) }));
    expect(four('redis-1', 'redis-1', 'redis-2', 'redis-2')).toBeNull();
    expect(four('redis-1', 'redis-1', 'redis-1', 'redis-2')?.id).toBe('redis-1');
    expect(four()).toBeNull();
  });

  test('does not depend on the order in which they are asked', () => {
    const sentinel = fc.record({
      reachable: fc.boolean(),
      primary: fc.constantFrom('redis-1', 'redis-2', null),
      configEpoch: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(sentinel, { maxLength: 5 }), (each) => {
        const sentinels = each.map((changes, i) => aSentinel(`sentinel-${i}`, changes));
        const word = namedPrimary(aView({ sentinels }));
        expect(namedPrimary(aView({ sentinels: sentinels.toReversed() }))).toEqual(word);
        const votes = each.filter(({ reachable, primary }) => reachable && primary === word?.id).length;
        expect(word === null || votes > each.length / 2).toBe(true);
      }),
    );
  });
});

describe('who acts as primary', () => {
  test('is the named one, if it does', () => {
    expect(actingPrimary(aView())?.id).toBe('redis-1');
    expect(actingPrimary(aView({ members: [aPrimary('redis-1', { reachable: false })] }))).toBeNull();
    expect(actingPrimary(aView({ members: [aReplica('redis-1'), aPrimary('redis-2')] }))).toBeNull();
  });

  test('is the selected one, as soon as it does, also without a majority', () => {
    const selection = { member: 'redis-2', atMs: 0 };
    const promoted = [aPrimary('redis-1'), aPrimary('redis-2')];
    expect(actingPrimary(aView({ members: promoted, selection }))?.id).toBe('redis-2');
    const sentinels = threeSentinels({ reachable: false });
    expect(actingPrimary(aView({ members: promoted, selection, sentinels }))?.id).toBe('redis-2');
    expect(actingPrimary(aView({ selection }))?.id).toBe('redis-1');
  });

  test('is never one just because it claims to be', () => {
    const sentinels = threeSentinels({ primary: null });
    expect(actingPrimary(aView({ sentinels }))).toBeNull();
  });
});

test.each<[Partial<View>, string | undefined]>([
  [{}, undefined],
  [
    { sentinels: threeSentinels([{}, { reachable: false }, { reachable: false }]) },
    'no majority of Sentinels says who is primary',
  ],
  [
    { sentinels: threeSentinels([{}, { failoverInProgress: true }, {}]) },
    'a failover is under way (sentinel-2 says so)',
  ],
  [{ selection: { member: 'redis-2', atMs: 0 } }, 'a failover is under way (redis-2 was selected)'],
  [{ members: [aPrimary('redis-1', { reachable: false })] }, 'the primary redis-1 does not answer as one'],
  [{ members: [aPrimary('redis-1', { busy: loading })] }, 'the primary redis-1 does not answer as one'],
  [{ members: [aReplica('redis-1'), aPrimary('redis-2')] }, 'the primary redis-1 does not answer as one'],
])('%o: what stands in the way of anything planned is %s', (changes, reason) => {
  expect(notCalm(aView(changes))).toBe(reason);
});
