import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Visitor, whoLeaves } from './who-leaves.ts';

const limits = { most: 6, mostWaitedForOfAddress: 3 };

const visitor = (other: Partial<Visitor> = {}): Visitor => ({
  ...{ address: 'a', sinceMs: 0, isWaitedFor: true, isKnown: false, isNew: false },
  ...other,
});

test('of one address the oldest go that are waited for, but none that is new', () => {
  const some = [3, 1, 2, 4].map((sinceMs) => visitor({ sinceMs }));
  expect(whoLeaves(some, limits)).toEqual([some[1]]);
  expect(whoLeaves([...some.slice(1), visitor({ address: 'b' })], limits)).toEqual([]);
  expect(
    whoLeaves(
      some.map((each) => ({ ...each, isNew: true })),
      limits,
    ),
  ).toEqual([]);
  const known = [
    ...[visitor({ isKnown: true }), visitor({ sinceMs: 5 })],
    ...[visitor({ sinceMs: 6 }), visitor({ sinceMs: 7 })],
  ];
  expect(whoLeaves(known, limits)).toEqual([known[1]]);
});

test('when all are taken, one of the address with most goes, waited for before answered', () => {
  const some = [
    ...[
      visitor({ address: 'b' }),
      visitor({ address: 'c', sinceMs: 4 }),
      visitor({ address: 'c', sinceMs: 3 }),
    ],
    ...[1, 2, 3, 4].map((sinceMs) => visitor({ address: 'd', isWaitedFor: false, sinceMs })),
  ];
  expect(whoLeaves(some, limits)).toEqual([some[2]]);
  const answered = some.map((each) => ({ ...each, isWaitedFor: false }));
  expect(whoLeaves(answered, limits)).toEqual([answered[3]]);
});

test('who showed a token and is answered stays as long as another may go', () => {
  const known = Array.from({ length: 7 }, () => visitor({ isKnown: true, isWaitedFor: false }));
  const other = visitor({ sinceMs: 9, isNew: true });
  expect(whoLeaves([...known.slice(1), other], limits)).toEqual([other]);
  expect(whoLeaves(known, limits)).toEqual([known[0]]);
});

const visitors = fc.array(
  fc.record({
    address: fc.constantFrom('a', 'b', 'c'),
    sinceMs: fc.integer({ min: 0, max: 1000 }),
    isWaitedFor: fc.boolean(),
    isKnown: fc.boolean(),
    isNew: fc.boolean(),
  }),
  { maxLength: 30 },
);

test('never more stay than may, and nobody goes in vain or in place of one that is to go first', () => {
  fc.assert(
    fc.property(visitors, (all) => {
      const gone = new Set(whoLeaves(all, limits));
      const staying = all.filter((each) => !gone.has(each));
      expect(staying.length).toBeLessThanOrEqual(limits.most);
      for (const address of ['a', 'b', 'c']) {
        const waiting = staying.filter((each) => each.address === address && each.isWaitedFor);
        const old = waiting.filter(({ isNew }) => !isNew);
        if (old.length > 0) expect(old.length).toBeLessThanOrEqual(limits.mostWaitedForOfAddress);
      }
      const isSafe = ({ isWaitedFor, isKnown }: Visitor) => !isWaitedFor && isKnown;
      if ([...gone].some(isSafe)) expect(staying.every(isSafe)).toBe(true);
      if (all.length <= limits.mostWaitedForOfAddress) expect(gone.size).toBe(0);
    }),
  );
});
