import { expect, test } from 'vitest';
import { asBefore, userName, withoutWrites } from './user-rules.ts';

const digest = `#${'a'.repeat(64)}`;
const line = `user app on ${digest} sanitize-payload ~a:* resetchannels &* -@all +@write +get (%R~b:* +get)`;

test('a user loses what writes, selectors too, and gets back what it had', () => {
  expect(userName(line)).toBe('app');
  expect(withoutWrites(line)).toEqual(['app', '-@write', 'clearselectors']);
  expect(withoutWrites('user default on nopass ~* &* +@all')).toEqual(['default', '-@write']);
  expect(['user', ...asBefore(line)].join(' ')).toBe(line.replace('app on', 'app reset on'));
});

test('what is no line of ACL LIST says nothing', () => {
  for (const text of ['', 'user', 'nobody x']) {
    expect([userName(text), withoutWrites(text), asBefore(text)]).toEqual([undefined, [], []]);
  }
});
