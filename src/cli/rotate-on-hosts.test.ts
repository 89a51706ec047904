import { expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import { stepsNow } from './rotate-on-hosts.ts';

const text =
  'name: orders\nhosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }\n';
const derived = parseSpec(text, 'spec.yaml');
const named = parseSpec(
  `${text}security: { users: { app: { password: { env: P }, acl: "~* +get" } } }\n`,
  'spec.yaml',
);

test('a password that clients have to get is valid until they are said to have it', () => {
  expect(stepsNow(derived, ['accept', 'use', 'drop'], false)).toEqual({
    now: ['accept', 'use'],
    later: ['drop'],
  });
  expect(stepsNow(derived, ['use', 'drop'], true)).toEqual({ now: ['use', 'drop'], later: [] });
  expect(() => stepsNow(derived, ['accept', 'use', 'drop'], true)).toThrow(
    'no change of the secret is under way',
  );
});

test('where clients have passwords of their own nothing waits for them', () => {
  expect(stepsNow(named, ['accept', 'use', 'drop'], false).later).toEqual([]);
});
