import { expect, test } from 'vitest';
import { type Candidate, chooseSource } from './choose-source.ts';

function member(id: string, changes: Partial<Candidate> = {}): Candidate {
  return {
    member: id,
    address: '127.0.0.1',
    port: 1,
    role: 'replica',
    linkUp: true,
    busy: undefined,
    offset: 1000,
    priority: 100,
    serverVersion: 'redis 7.0.15',
    expectedBytes: 0,
    ...changes,
  };
}

const primary = member('redis-1', { role: 'primary', linkUp: false, offset: 1010 });

test('the replica that would be promoted last, then the one that is furthest along', () => {
  const choose = (...replicas: Candidate[]) => chooseSource([primary, ...replicas], 'replica').chosen?.member;
  expect(choose(member('redis-2'), member('redis-3', { offset: 1001 }))).toBe('redis-3');
  expect(choose(member('redis-2', { priority: 200 }), member('redis-3', { offset: 1001 }))).toBe('redis-2');
  expect(choose(member('redis-2', { priority: 200 }), member('redis-3', { priority: 0 }))).toBe('redis-3');
});

test.each<[string, Partial<Candidate>, string]>([
  ['without a link', { linkUp: false }, 'no link to its primary'],
  ['loading', { busy: 'it is loading its data' }, 'loading'],
  ['that does not answer', { error: 'no answer from 127.0.0.1:1' }, 'no answer'],
  ['far behind', { offset: 1010 - 65 * 2 ** 20 }, 'bytes behind'],
])('a replica %s is not fit: the primary only when that was said', (_which, fault, words) => {
  const members = [primary, member('redis-2', fault)];
  expect(chooseSource(members, 'replica')).toEqual({
    chosen: null,
    reason: expect.stringMatching(new RegExp(`no replica is fit .*redis-1: fit; redis-2: .*${words}`)),
  });
  expect(chooseSource(members, 'prefer-replica').chosen?.member).toBe('redis-1');
  expect(chooseSource(members, 'primary').chosen?.member).toBe('redis-1');
  expect(chooseSource(members, 'redis-2')).toEqual({ chosen: null, reason: expect.stringContaining(words) });
});

test('a member by its name, though another is fitter; the primary though there are replicas', () => {
  const members = [primary, member('redis-2'), member('redis-3', { offset: 1001 })];
  expect(chooseSource(members, 'redis-2').chosen?.member).toBe('redis-2');
  expect(chooseSource(members, 'primary').chosen?.member).toBe('redis-1');
  expect(chooseSource(members, 'prefer-replica').chosen?.member).toBe('redis-3');
});

test('nobody is fit: the state of each is in the reason', () => {
  const down = members(['redis-1', 'redis-2']);
  expect(chooseSource(down, 'prefer-replica')).toEqual({
    chosen: null,
    reason: 'no member is fit for a backup (redis-1: gone; redis-2: gone)',
  });
});

function members(ids: string[]): Candidate[] {
  return ids.map((id) => member(id, { error: 'gone' }));
}
