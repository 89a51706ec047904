import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PrefixMap } from './prefix-map.ts';

const find = (map: PrefixMap, key: string) => {
  const bytes = Buffer.from(`..${key}..`);
  return map.find(bytes, 2, bytes.length - 2)?.lane;
};

test('the longest prefix wins, and a key of none has none', () => {
  const map = new PrefixMap([
    { prefix: 'cart:', lane: 1 },
    { prefix: 'cart:eu:', lane: 2 },
    { prefix: 'ü', lane: 3 },
  ]);
  expect(['cart:1', 'cart:eu:1', 'cart:eu', 'car', '', 'ü1', 'other'].map((key) => find(map, key))).toEqual([
    1,
    2,
    1,
    undefined,
    undefined,
    3,
    undefined,
  ]);
});

test('a pattern is where all that it can match is', () => {
  const map = new PrefixMap([
    { prefix: 'cart:', lane: 1 },
    { prefix: 'cart:eu:', lane: 2 },
  ]);
  const at = (pattern: string) => {
    const found = map.findPattern(Buffer.from(pattern));
    return typeof found === 'object' ? found.lane : found;
  };
  expect(at('cart:eu:*')).toBe(2);
  expect(at('cart:1*')).toBe(1);
  expect(at('cart:*')).toBe('many');
  expect(at('*')).toBe('many');
  expect(at('cart:e?:1')).toBe('many');
  expect(at('order:*')).toBeUndefined();
  expect(at('cart:7')).toBe(1);
});

test('it finds what looking at every prefix finds', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', 'é'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.uniqueArray(text, { maxLength: 6 }), text, (prefixes, key) => {
      const map = new PrefixMap(prefixes.map((prefix, lane) => ({ prefix, lane })));
      const fits = prefixes.filter((prefix) => key.startsWith(prefix));
      const longest = fits.toSorted((a, b) => b.length - a.length)[0];
      expect(find(map, key)).toBe(longest === undefined ? undefined : prefixes.indexOf(longest));
    }),
  );
});
