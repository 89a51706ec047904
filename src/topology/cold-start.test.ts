import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Candidate, chooseColdStart, isStale, type MemberMemory } from './cold-start.ts';

const memory = (changes: Partial<MemberMemory> = {}): MemberMemory => ({
  role: 'replica',
  primarySinceMs: null,
  offset: 1000,
  replId: 'a'.repeat(40),
  keys: 10,
  unsavedChanges: 0,
  storeFails: false,
  lost: null,
  seenAtMs: 5000,
  ...changes,
});
const asPrimary = (sinceMs: number, changes: Partial<MemberMemory> = {}) =>
  memory({ role: 'primary', primarySinceMs: sinceMs, ...changes });
const withData = (id: string, writtenAtMs = 5000, remembered: MemberMemory | null = memory()): Candidate => ({
  id,
  disk: { hasData: true, writtenAtMs },
  memory: remembered,
});
const empty = (id: string, remembered: MemberMemory | null = null): Candidate => ({
  id,
  disk: { hasData: false, writtenAtMs: 0 },
  memory: remembered,
});

describe('when nobody has data', () => {
  test('the one that the Sentinels name starts as primary, or the first of the spec', () => {
    const members = [empty('redis-1'), empty('redis-2')];
    expect(chooseColdStart(members, 'redis-2')).toEqual({
      primary: 'redis-2',
      reason: 'no member has data yet',
      missing: [],
    });
    expect(chooseColdStart(members, null).primary).toBe('redis-1');
    expect(chooseColdStart(members, 'a member that is gone from the spec').primary).toBe('redis-1');
  });

  test('those that had some are told', () => {
    const members = [
      empty('redis-1', memory({ keys: 3 })),
      empty('redis-2', memory({ keys: 0 })),
      empty('redis-3'),
    ];
    expect(chooseColdStart(members, null).missing).toEqual(['redis-1']);
  });
});

describe('when some have data', () => {
  test('one with data goes before the one that the Sentinels name', () => {
    const members = [empty('redis-1', asPrimary(9000)), empty('redis-2'), withData('redis-3', 1, null)];
    expect(chooseColdStart(members, 'redis-1')).toEqual({
      primary: 'redis-3',
      reason: 'only redis-3 has data on disk',
      missing: ['redis-1'],
    });
  });

  test('the last primary goes before replicas whose files were written later', () => {
    const members = [
      withData('redis-1', 9000),
      withData('redis-2', 4000, asPrimary(3000)),
      withData('redis-3', 9999),
    ];
    expect(chooseColdStart(members, 'redis-1')).toMatchObject({
      primary: 'redis-2',
      reason: 'redis-2 was the last primary and its data is on disk',
    });
  });

  test('of two that think they are primary, the one that became it last', () => {
    const members = [withData('redis-1', 9000, asPrimary(100)), withData('redis-2', 4000, asPrimary(200))];
    expect(chooseColdStart(members, 'redis-1').primary).toBe('redis-2');
    expect(chooseColdStart(members.toReversed(), 'redis-1').primary).toBe('redis-2');
  });

  test('a last primary whose RDB lacks changes competes by its files like the others', () => {
    const stale = asPrimary(3000, { unsavedChanges: 5, seenAtMs: 8000 });
    const replica = withData('redis-2', 7000);
    expect(chooseColdStart([withData('redis-1', 4000, stale), replica], 'redis-1')).toMatchObject({
      primary: 'redis-2',
      reason: 'redis-2 has the newest data on disk, not redis-1 that the Sentinels name',
    });
    expect(chooseColdStart([withData('redis-1', 7500, stale), replica], 'redis-1').primary).toBe('redis-1');
  });

  test('among replicas: newest files, then the furthest offset, then the Sentinels’ word, then the spec', () => {
    const choose = (a: Candidate, b: Candidate, named: string | null = null) =>
      chooseColdStart([a, b], named).primary;
    expect(choose(withData('a', 5000), withData('b', 5001))).toBe('b');
    expect(choose(withData('a', 5000), withData('b', 5000, memory({ offset: 1001 })))).toBe('b');
    expect(choose(withData('a', 5000), withData('b', 5000), 'b')).toBe('b');
    expect(choose(withData('a', 5000), withData('b', 5000))).toBe('a');
    expect(choose(withData('a', 5000, null), withData('b', 5000))).toBe('b');
  });
});

test('stale is what had changes after its files were written', () => {
  const disk = (writtenAtMs: number) => ({ hasData: true, writtenAtMs });
  const unsaved = memory({ unsavedChanges: 1, seenAtMs: 5000 });
  expect(isStale(disk(4999), unsaved)).toBe(true);
  // A graceful stop saves after the agent has looked for the last time.
  expect(isStale(disk(5000), unsaved)).toBe(false);
  expect(isStale(disk(0), memory())).toBe(false);
  expect(isStale(disk(0), null)).toBe(false);
});

describe('whatever is found', () => {
  const candidates = fc.uniqueArray(
    fc.record({
      id: fc.constantFrom('redis-1', 'redis-2', 'redis-3', 'redis-4'),
      disk: fc.oneof(
        fc.constant({ hasData: false, writtenAtMs: 0 }),
        fc.record({ hasData: fc.constant(true), writtenAtMs: fc.integer({ min: 1, max: 5 }) }),
      ),
      memory: fc.option(
        fc.record({
          role: fc.constantFrom('primary' as const, 'replica' as const),
          primarySinceMs: fc.option(fc.integer({ min: 1, max: 5 })),
          offset: fc.integer({ min: 0, max: 5 }),
          replId: fc.constant(''),
          keys: fc.integer({ min: 0, max: 2 }),
          unsavedChanges: fc.integer({ min: 0, max: 1 }),
          storeFails: fc.boolean(),
          seenAtMs: fc.integer({ min: 0, max: 5 }),
          lost: fc.constant(null),
        }),
      ),
    }),
    { minLength: 1, selector: ({ id }) => id },
  );
  const named = fc.option(fc.constantFrom('redis-1', 'redis-2', 'redis-9'));

  test('the primary is a candidate, and has data if anyone has', () => {
    fc.assert(
      fc.property(candidates, named, (all, word) => {
        const { primary } = chooseColdStart(all, word);
        const chosen = all.find(({ id }) => id === primary);
        expect(chosen).toBeDefined();
        expect(chosen?.disk.hasData).toBe(all.some(({ disk }) => disk.hasData));
      }),
    );
  });

  test('no other with data and nothing missing became primary later', () => {
    fc.assert(
      fc.property(candidates, named, (all, word) => {
        const { primary } = chooseColdStart(all, word);
        const chosen = all.find(({ id }) => id === primary) as Candidate;
        const since = (each: Candidate) =>
          isStale(each.disk, each.memory) ? 0 : (each.memory?.primarySinceMs ?? 0);
        const later = all.filter((each) => each.disk.hasData && since(each) > since(chosen));
        expect(later).toEqual([]);
      }),
    );
  });

  test('the order of the spec matters only between equals', () => {
    fc.assert(
      fc.property(candidates, named, (all, word) => {
        const rank = (id: string) => {
          const { disk, memory: kept } = all.find((each) => each.id === id) as Candidate;
          const since = isStale(disk, kept) ? 0 : (kept?.primarySinceMs ?? 0);
          return [disk.hasData, since, disk.writtenAtMs, kept?.offset ?? 0, id === word];
        };
        const [forward, backward] = [all, all.toReversed()].map(
          (list) => chooseColdStart(list, word).primary,
        );
        fc.pre(all.some(({ disk }) => disk.hasData));
        expect(rank(forward as string)).toEqual(rank(backward as string));
      }),
    );
  });
});

test('an AOF that could not be written is stale, whatever the time of its file', () => {
  const disk = { hasData: true, writtenAtMs: 6000 };
  expect(isStale(disk, memory({ storeFails: true, seenAtMs: 5000 }))).toBe(true);
  const full = withData('a', 6000, asPrimary(3000, { storeFails: true }));
  expect(chooseColdStart([full, withData('b', 6001)], 'a').primary).toBe('b');
});
