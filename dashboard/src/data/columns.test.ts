import { expect, test } from 'vitest';
import type { ApiHistory } from '../../../src/api/history.ts';
import { aloneIn, joinHistory, withHoles } from './columns.ts';

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
  const joined = joinHistory(history([1000, 2000], 1), history([2000, 3000], 2), 10);
  expect(joined.at).toEqual([1000, 2000, 3000]);
  expect(joined.deployment.clients).toEqual([1, 1, 2]);
});

test('the oldest are let go of', () => {
  const joined = joinHistory(history([1000, 2000], 1), history([3000], 2), 2);
  expect(joined.at).toEqual([2000, 3000]);
  expect(joined.members['redis-1']?.keys).toEqual([1, 2]);
});

test('a member that is new has nothing before, one that is gone nothing after', () => {
  const joined = joinHistory(history([1000], 1, ['redis-1']), history([2000], 2, ['redis-2']), 10);
  expect(joined.members['redis-1']?.keys).toEqual([1, null]);
  expect(joined.members['redis-2']?.keys).toEqual([null, 2]);
});

test('nothing new is nothing changed', () => {
  const there = history([1000], 1);
  expect(joinHistory(there, history([1000], 2), 10)).toBe(there);
});

test('a hole in time is a hole in the line', () => {
  expect(withHoles([1000, 2000, 9000], [[1, 2, 3]], 1000)).toEqual({
    at: [1000, 2000, 3000, 9000],
    columns: [[1, 2, null, 3]],
  });
});

test('a sample between two that are missing is found, for it is no line', () => {
  expect(aloneIn([])).toEqual([]);
  expect(aloneIn([4])).toEqual([0]);
  expect(aloneIn([1, null, 2, null, null, 3, 4, null, 0])).toEqual([0, 2, 8]);
});
