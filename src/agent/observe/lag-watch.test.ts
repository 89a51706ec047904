import { expect, test } from 'vitest';
import { aPrimary, aReplica, aView } from '../../../test/support/views.ts';
import { LagWatch } from './lag-watch.ts';

const at = (offset: number, replicas: Record<string, number>, primary = {}) =>
  aView({
    members: [
      aPrimary('redis-1', { offset, ...primary }),
      ...Object.entries(replicas).map(([id, has]) => aReplica(id, { offset: has })),
    ],
  });

test('one that stands still is behind for as long as the primary has more', () => {
  const lag = new LagWatch();
  for (let second = 0; second <= 4; second++) {
    lag.note(at(100 + second, { 'redis-2': 100 + second, 'redis-3': 100 }), second * 1000);
  }
  expect(lag.behindMs('redis-2')).toBe(0);
  expect(lag.behindMs('redis-3')).toBe(3000);
  expect(lag.behindMs('redis-9')).toBe(0);
});

test('while the primary does not answer the time stands still: nobody could keep up', () => {
  const lag = new LagWatch();
  for (let second = 0; second <= 2; second++) lag.note(at(100 + second, { 'redis-3': 100 }), second * 1000);
  const known = lag.behindMs('redis-3');
  lag.note(at(200, { 'redis-3': 100 }, { reachable: false }), 60_000);
  expect(lag.behindMs('redis-3')).toBe(known);
});

test('one that follows somebody else is behind, however much it has: the primary is not told of it', () => {
  const lag = new LagWatch();
  const astray = (follows: { address: string; port: number }) =>
    aView({ members: [aPrimary('redis-1', { offset: 100 }), aReplica('redis-2', { offset: 100, follows })] });
  const { address, port } = aPrimary('redis-1');
  for (let second = 0; second <= 3; second++) lag.note(astray({ address, port: port + 1 }), second * 1000);
  expect(lag.behindMs('redis-2')).toBe(3000);
  lag.note(astray({ address, port }), 4000);
  expect(lag.behindMs('redis-2')).toBe(0);
});

test('with another primary it begins anew', () => {
  const lag = new LagWatch();
  for (let second = 0; second <= 4; second++) lag.note(at(100 + second, { 'redis-3': 100 }), second * 1000);
  const after = aView({
    members: [
      aReplica('redis-1', { offset: 200 }),
      aPrimary('redis-2', { offset: 200 }),
      aReplica('redis-3', { offset: 100 }),
    ],
    sentinels: aView().sentinels.map((sentinel) => ({ ...sentinel, primary: 'redis-2' })),
  });
  lag.note(after, 5000);
  expect(lag.behindMs('redis-3')).toBe(0);
});

test('when the primary was started again, and counts from the beginning, so do the others', () => {
  const lag = new LagWatch();
  for (let second = 0; second <= 4; second++) lag.note(at(1000 + second, { 'redis-2': 1000 }), second * 1000);
  expect(lag.behindMs('redis-2')).toBe(3000);
  for (let second = 5; second <= 9; second++)
    lag.note(at(10, { 'redis-2': 10 }, { histories: ['h2'] }), second * 1000);
  expect(lag.behindMs('redis-2')).toBe(0);
});
