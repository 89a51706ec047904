import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Visitor, whoLeaves } from './who-leaves.ts';

const limits = { most: 6, mostWaitedForOfAddress: 3, momentMs: 10 };
const nowMs = 1000;

const visitor = (other: Partial<Visitor> = {}): Visitor => ({
  ...{ address: 'a', sinceMs: 0, isWaitedFor: true, isKnown: false },
  ...other,
});

function leaving(others: readonly Visitor[], newest = visitor({ sinceMs: nowMs })): Visitor[] {
  return whoLeaves([...others, newest], newest, nowMs, limits);
}

test('of one address the oldest go that are waited for, but none that came a moment ago', () => {
  const old = [3, 1, 2].map((sinceMs) => visitor({ sinceMs }));
  expect(leaving(old)).toEqual([old[1]]);
  expect(leaving(old, visitor({ address: 'b' }))).toEqual([]);
  expect(leaving([3, 1, 2].map((before) => visitor({ sinceMs: nowMs - before })))).toEqual([]);
  const known = [visitor({ isKnown: true }), visitor({ sinceMs: 5 }), visitor({ sinceMs: 6 })];
  expect(leaving(known)).toEqual([known[1]]);
});

test('when all are taken, one of the address with most goes, waited for before answered', () => {
  const some = [
    ...[
      visitor({ address: 'b' }),
      visitor({ address: 'c', sinceMs: 4 }),
      visitor({ address: 'c', sinceMs: 3 }),
    ],
    ...[1, 1, 1].map((sinceMs) => visitor({ address: 'd', isWaitedFor: false, sinceMs })),
  ];
  expect(leaving(some)).toEqual([some[2]]);
  const answered = some.map((each) => ({ ...each, isWaitedFor: false }));
  expect(leaving(answered)).toEqual([answered[3]]);
});

test('who showed a token and is answered stays; when all are such, the newest goes', () => {
  const known = Array.from({ length: 6 }, () => visitor({ isKnown: true, isWaitedFor: false }));
  const newest = visitor({ sinceMs: nowMs });
  expect(leaving(known, newest)).toEqual([newest]);
});

const visitors = fc.array(
  fc.record({
    address: fc.constantFrom('a', 'b', 'c'),
    sinceMs: fc.integer({ min: 0, max: nowMs }),
    isWaitedFor: fc.boolean(),
    isKnown: fc.boolean(),
  }),
  { maxLength: 6 },
);

test('never more stay than may, and the newest stays whenever another may go', () => {
  fc.assert(
    fc.property(visitors, (others) => {
      const newest = visitor({ sinceMs: nowMs });
      const gone = leaving(others, newest);
      expect(new Set(gone).size).toBe(gone.length);
      expect(others.length + 1 - gone.length).toBeLessThanOrEqual(limits.most);
      for (const each of gone) if (each !== newest) expect(each.isKnown && !each.isWaitedFor).toBe(false);
      const maySend = others.some((each) => each.isWaitedFor || !each.isKnown);
      if (maySend) expect(gone).not.toContain(newest);
    }),
  );
});
