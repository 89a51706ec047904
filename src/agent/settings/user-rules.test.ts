import { expect, test } from 'vitest';
import { orderedRules } from './user-rules.ts';

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
