import { expect, test } from 'vitest';
import { differenceInRules, orderedRules } from './user-rules.ts';

test.each([
  ['on ~a:* ~b:* &c +@all', 'on &c +@all ~b:* ~a:*'],
  ['on -@all +get +set', 'on -@all +set +get'],
  ['on +@all -get -config|set', 'on +@all -config|set -get'],
  ['on -@all +get (~a -@all +get +set)', 'on -@all +get (~a -@all +set +get)'],
  ['on -@all +get (~a +@all) (~b +@all)', 'on -@all (~b +@all) +get (~a +@all)'],
])('%s and %s are the same', (a, b) => expect(orderedRules(a)).toBe(orderedRules(b)));

test.each([
  ['on -@all +@read -get', 'on -@all -get +@read'],
  ['on +@all -@all', 'on -@all +@all'],
  ['on -config|set +config', 'on +config -config|set'],
  ['on resetchannels &a', 'on &a resetchannels'],
  ['on ~a +@all', 'off ~a +@all'],
  ['on -@all (~a +@all)', 'on -@all (~b +@all)'],
])('%s and %s are not', (a, b) => expect(orderedRules(a)).not.toBe(orderedRules(b)));

test.each([
  ['on ~* +@all', 'on ~* &* +@all', 'lacks "&*"'],
  ['on ~* &* +@all -set', 'on ~* &* +@all', 'has "-set" besides'],
  ['off ~a:* +@all', 'on ~* +@all', 'lacks "on ~*" and has "off ~a:*" besides'],
  ['on +@all (~b +set)', 'on +@all (~a +get)', 'lacks "(~a +get)" and has "(~b +set)" besides'],
  ['on +set (&a -@all +publish +spublish)', 'on (&a -@all +spublish +publish)', 'has "+set" besides'],
  ['on +@all -@all', 'on -@all +@all', 'has the same rules in another order'],
])('%s beside %s: %s', (running, wanted, words) => expect(differenceInRules(running, wanted)).toBe(words));

test('of very many rules, and of a very long one, the first are shown and the rest counted', () => {
  const many = Array.from({ length: 300 }, (_, i) => `+command-${i}`).join(' ');
  const said = differenceInRules(`on (~${'x'.repeat(500)} +get)`, `on ${many}`);
  expect(said).toMatch(
    /^lacks "\+command-0 \+command-1 .*" and 29\d more and has "\(~x+… \(508 characters\)" besides$/,
  );
  expect(said.length).toBeLessThan(250);
});

/** Lists of a hundred rules are compared again and again. */
test('rules of one user that stand in another order are the same, however many', () => {
  const some = Array.from({ length: 300 }, (_, i) => `+command-${i}`);
  const startedMs = performance.now();
  expect(orderedRules(`on ~* -@all ${some.join(' ')}`)).toBe(
    orderedRules(`on -@all ~* ${some.toReversed().join(' ')}`),
  );
  // It took the cube of their number: several seconds.
  expect(performance.now() - startedMs).toBeLessThan(1000);
});
