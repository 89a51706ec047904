import { expect, test } from 'vitest';
import { addSample, behindForMs, decideEligibility, type Follower } from './keeping-up.ts';

const samples = [0, 1, 2, 3, 4, 5].map((second) => ({ atMs: second * 1000, offset: second * 100 }));
const follower = (id: string, changes: Partial<Follower> = {}): Follower => ({
  id,
  own: true,
  reachable: true,
  linkUp: true,
  offset: 500,
  priority: 100,
  takenOut: false,
  ...changes,
});
const kinds = (...followers: Follower[]) =>
  decideEligibility(followers, samples, 5200).map(({ kind, member }) => `${kind} ${member}`);

test('a replica is behind since the primary first had what it does not have', () => {
  expect(behindForMs(samples, 500, 5200)).toBe(0);
  expect(behindForMs(samples, 100, 5200)).toBe(3200);
  expect(behindForMs([], 0, 5200)).toBe(0);
  expect(addSample(samples, { atMs: 6000, offset: 1 })).toHaveLength(7);
});

test('one that does not keep up is taken out, and put back when it does', () => {
  expect(kinds(follower('a'), follower('b', { offset: 100 }))).toEqual(['take-out b']);
  expect(kinds(follower('a'), follower('b', { offset: 400 }))).toEqual([]);
  expect(kinds(follower('a'), follower('b', { offset: 100, priority: 0, takenOut: true }))).toEqual([]);
  expect(kinds(follower('a'), follower('b', { priority: 0, takenOut: true }))).toEqual(['put-back b']);
});

test('a priority of 0 that somebody else set stays', () => {
  expect(kinds(follower('a'), follower('b', { priority: 0 }))).toEqual([]);
});

test('the last one that could be promoted is never taken out, nor one of another host', () => {
  expect(kinds(follower('b', { offset: 100 }))).toEqual([]);
  expect(kinds(follower('a', { linkUp: false }), follower('b', { offset: 100 }))).toEqual([]);
  expect(kinds(follower('a', { priority: 0 }), follower('b', { offset: 100 }))).toEqual([]);
  expect(kinds(follower('a'), follower('b', { offset: 100, own: false }))).toEqual([]);
});
