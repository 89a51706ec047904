import { expect, test } from 'vitest';
import { loopThrough, parseOrigins, withOrigin } from './origins.ts';

const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];

const all = (history: string) => ({ history, prefixes: [] });

test('places that mirror each other’s own keys make no loop; what is passed on is what both mean', () => {
  const atA = parseOrigins(withOrigin({}, {}, 'b-to-a', { history: b, prefixes: ['b:'] }));
  expect(loopThrough(atA, [b], ['a:'])).toBeUndefined();
  expect(loopThrough(atA, [b], ['a:', 'b:x:'])).toBe('b-to-a');
  expect(loopThrough(atA, [b], [])).toBe('b-to-a');
  const atC = parseOrigins(withOrigin({}, atA, 'a-to-c', { history: a, prefixes: ['a:'] }));
  expect(Object.keys(atC)).toEqual(['a-to-c']);
});

test('a chain is seen to its end: what arrives at the source may not be led back to where it began', () => {
  const atB = parseOrigins(withOrigin({}, {}, 'a-to-b', all(a)));
  const atC = parseOrigins(withOrigin({}, atB, 'b-to-c', all(b)));
  expect(loopThrough(atC, [a], [])).toBe('a-to-b');
  expect(loopThrough(atC, [b], [])).toBe('b-to-c');
  expect(loopThrough(atC, [c], [])).toBeUndefined();
});

test('behind a failover of the source its new history counts; behind one of the target the one before does', () => {
  const before = parseOrigins(withOrigin({}, {}, 'a-to-b', all(a)));
  const after = parseOrigins(withOrigin(before, {}, 'a-to-b', all(c)));
  expect(loopThrough(after, [a], [])).toBeUndefined();
  expect(loopThrough(after, [b, c], [])).toBe('a-to-b');
});

test('what others have put there is not taken for origins', () => {
  for (const text of [
    null,
    '',
    'no JSON',
    '[]',
    '{"a-to-b":1}',
    `{"a b":{"history":"${a}","prefixes":[]}}`,
    `{"x":{"history":"${a}00","prefixes":[]}}`,
  ])
    expect(parseOrigins(text)).toEqual({});
});
