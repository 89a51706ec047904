import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentMost } from './recent-most.ts';

test('what lasted for a moment is seen by who looks within a second, and forgotten two seconds later', () => {
  const most = new RecentMost();
  most.note(4, 10_990);
  expect(most.read(0, 11_010)).toBe(4);
  expect(most.read(0, 11_999)).toBe(4);
  expect(most.read(0, 12_000)).toBe(0);
  most.note(2, 20_100);
  most.note(7, 20_200);
  most.note(1, 20_300);
  expect([most.read(0, 20_400), most.read(0, 20_400)]).toEqual([7, 7]);
  expect(most.read(3, 50_000)).toBe(3);
});

test('it is never less than there was in the second before, nor more than in the two before', () => {
  const notes = fc.array(fc.record({ afterMs: fc.nat(1500), many: fc.nat(50) }), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(notes, (all) => {
      const most = new RecentMost();
      const seen: { atMs: number; many: number }[] = [];
      let atMs = 5000;
      for (const { afterMs, many } of all) {
        atMs += afterMs;
        seen.push({ atMs, many });
        most.note(many, atMs);
        const within = (ms: number) =>
          Math.max(0, ...seen.filter((each) => atMs - each.atMs < ms).map((each) => each.many));
        const read = most.read(0, atMs);
        expect(read).toBeGreaterThanOrEqual(within(1000));
        expect(read).toBeLessThanOrEqual(within(2000));
      }
    }),
  );
});
