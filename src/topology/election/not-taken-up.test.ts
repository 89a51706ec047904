import { expect, test } from 'vitest';
import { aPrimary, aReplica, aView, threeSentinels } from '../../../test/support/views.ts';
import type { View } from '../view.ts';
import { findAppointment } from './not-taken-up.ts';

const nowMs = 100_000;
const { address, port } = aPrimary('redis-2');
const follows = { address, port };
const unnamed = (changes: Partial<View> = {}) =>
  aView({
    members: [aReplica('redis-1', { follows }), aPrimary('redis-2'), aReplica('redis-3', { follows })],
    promoted: { member: 'redis-2', atMs: nowMs - 2000, times: 2 },
    ...changes,
  });
const find = (changes?: Partial<View>) => findAppointment(unnamed(changes), nowMs);

test('after two elections in vain each Sentinel that names another is told, when it had time to hear of the second', () => {
  expect(find()).toMatchObject({
    member: 'redis-2',
    sentinels: ['sentinel-1', 'sentinel-2', 'sentinel-3'],
  });
  expect(find({ sentinels: threeSentinels([{ primary: 'redis-2' }, {}, {}]) })?.sentinels).toEqual([
    'sentinel-2',
    'sentinel-3',
  ]);
  expect(find({ promoted: { member: 'redis-2', atMs: nowMs - 2000, times: 1 } })).toBeUndefined();
  expect(find({ promoted: { member: 'redis-2', atMs: nowMs - 1999, times: 2 } })).toBeUndefined();
});

test('not when another agent made it primary, it is gone, or the named one acts as primary too', () => {
  expect(find({ promoted: null })).toBeUndefined();
  expect(find({ members: [aPrimary('redis-1'), aPrimary('redis-2')] })).toBeUndefined();
  const gone = aPrimary('redis-2', { reachable: false });
  expect(find({ members: [aReplica('redis-1', { follows }), gone] })).toBeUndefined();
});

test('all or none: not while one can’t be told, or may be at a failover', () => {
  for (const one of [
    { reachable: false },
    { tilt: true },
    { failoverInProgress: true },
    { toldAtMs: nowMs - 10_000 },
  ])
    expect(find({ sentinels: threeSentinels([{}, one, {}]) })).toBeUndefined();
  expect(find({ vote: { atMs: nowMs, ours: false } })).toBeUndefined();
  expect(find({ vote: { atMs: nowMs, ours: true } })).toBeDefined();
});
