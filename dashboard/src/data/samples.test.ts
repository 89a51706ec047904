import { expect, test } from 'vitest';
import type { ApiHistory } from '../../../src/api/history.ts';
import { joinSamples } from './samples.ts';

function history(at: number[], value: number, members: string[] = ['redis-1']): ApiHistory {
  const column = at.map(() => value);
  return {
    stepMs: 1000,
    at,
    deployment: {
      commandsPerSecond: column,
      errorsPerSecond: column,
      clients: column,
      held: column,
      p50Ms: column,
      p99Ms: column,
    },
    members: Object.fromEntries(
      members.map((id) => [
        id,
        { lagBytes: column, memoryBytes: column, commandsPerSecond: column, keys: column },
      ]),
    ),
  };
}

test('later samples are put behind, those that overlap are not taken twice', () => {
  const joined = joinSamples(joinSamples(null, history([1000, 2000], 1), 10), history([2000, 3000], 2), 10);
  expect(joined.at).toEqual([1000, 2000, 3000]);
  expect(joined.deployment.clients).toEqual([1, 1, 2]);
});

test('the oldest are let go of', () => {
  const joined = joinSamples(joinSamples(null, history([1000, 2000], 1), 2), history([3000], 2), 2);
  expect(joined.at).toEqual([2000, 3000]);
  expect(joined.members['redis-1']?.lagBytes).toEqual([1, 2]);
});

test('a member that is new has nothing before, one that is gone nothing after', () => {
  const joined = joinSamples(
    joinSamples(null, history([1000], 1, ['redis-1']), 10),
    history([2000], 2, ['redis-2']),
    10,
  );
  expect(joined.members['redis-1']?.lagBytes).toEqual([1, null]);
  expect(joined.members['redis-2']?.lagBytes).toEqual([null, 2]);
});

test('nothing new is nothing changed', () => {
  const there = joinSamples(null, history([1000], 1), 10);
  expect(joinSamples(there, history([1000], 2), 10)).toBe(there);
});

test('of more members than lines can be told apart their most and their mean are kept, however it came to be so', () => {
  const six = ['a', 'b', 'c', 'd', 'e', 'f'];
  const rising = history([1000, 2000], 1, six);
  six.forEach((id, index) => {
    const columns = rising.members[id];
    if (columns) columns.lagBytes = [index === 0 ? null : index, null];
  });
  const many = joinSamples(null, rising, 10);
  expect(many.together).toBe(true);
  expect(many.members['most of any member']?.lagBytes).toEqual([5, null]);
  expect(many.members['mean']?.lagBytes).toEqual([3, null]);

  // The sixth comes later; and then there are fewer again.
  const grown = joinSamples(
    joinSamples(null, history([1000], 4, six.slice(1)), 10),
    history([2000], 2, six),
    10,
  );
  expect(Object.keys(grown.members)).toEqual(['most of any member', 'mean']);
  expect(grown.members['mean']?.memoryBytes).toEqual([4, 2]);
  const shrunk = joinSamples(grown, history([3000], 8, six.slice(2)), 10);
  expect(Object.keys(shrunk.members)).toEqual(['most of any member', 'mean']);
  expect(shrunk.members['mean']?.memoryBytes).toEqual([4, 2, 8]);
});
