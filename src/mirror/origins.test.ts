import { expect, test } from 'vitest';
import { loopThrough, parseOrigins, withOrigin } from './origins.ts';

const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];

test('a chain is seen to its end: what arrives at the source may not be led back to where it began', () => {
  const atB = parseOrigins(withOrigin({}, {}, 'a-to-b', a));
  const atC = parseOrigins(withOrigin({}, atB, 'b-to-c', b));
  expect(loopThrough(atC, [a])).toBe('a-to-b');
  expect(loopThrough(atC, [b])).toBe('b-to-c');
  expect(loopThrough(atC, [c])).toBeUndefined();
});

test('behind a failover of the source its new history counts; behind one of the target the one before does', () => {
  const before = parseOrigins(withOrigin({}, {}, 'a-to-b', a));
  const after = parseOrigins(withOrigin(before, {}, 'a-to-b', c));
  expect(loopThrough(after, [a])).toBeUndefined();
  expect(loopThrough(after, [b, c])).toBe('a-to-b');
});

test('what others have put there is not taken for origins', () => {
  for (const text of [null, '', 'no JSON', '[]', '{"a-to-b":1}', '{"a b":"x"}', `{"x":"${a}00"}`])
    expect(parseOrigins(text)).toEqual({});
});
