import { expect, test } from 'vitest';
import { entriesOf, inPieces, rdbFixtures } from '../../test/support/rdb-files.ts';
import { ValueSum } from './value-sum.ts';

test('a value that comes in pieces has one sum, however they are cut, and another one than a value that differs', async () => {
  const sums = new ValueSum();
  const whole = new Map<string, string>();
  for (const { bytes } of rdbFixtures()) {
    if (bytes.length > 200_000) continue;
    for (const { type, flavor, body } of await entriesOf(bytes).catch(() => [])) {
      const held = heldSum(sums, type, flavor, body);
      // Damaged on purpose.
      if (held === undefined) continue;
      const found = [3, 1021, 1_000_000].map((pieceBytes) => {
        const running = sums.begin(type, flavor);
        for (const piece of inPieces(body, pieceBytes)) running.add(Buffer.from(piece));
        const { kind, sum } = running.end();
        return `${kind} ${sum}`;
      });
      expect(new Set(found).size).toBe(1);
      // Whoever holds both sees the same of them.
      expect(whole.get(held) ?? found[0]).toBe(found[0]);
      whole.set(held, found[0]!);
    }
  }
  expect(whole.size).toBeGreaterThan(50);
  expect(new Set(whole.values()).size).toBe(whole.size);
});

test('what is cut off, or no value, is said', () => {
  const sums = new ValueSum();
  expect(() => sums.begin(0, 'redis').end()).toThrow(/too early/);
  const list = sums.begin(1, 'redis');
  list.add(Buffer.from([2, 1, 97]));
  expect(() => list.end()).toThrow(/too early/);
  expect(() => sums.begin(99, 'redis')).toThrow(/type 99/);
});

function heldSum(sums: ValueSum, ...value: Parameters<ValueSum['of']>): string | undefined {
  try {
    return sums.of(...value);
  } catch {
    return undefined;
  }
}
