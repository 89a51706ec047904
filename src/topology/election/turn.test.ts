import { expect, test } from 'vitest';
import { sentinelsThatKnowEachOther } from '../../../test/support/voting-sentinel.ts';
import { turnOf } from './turn.ts';

const sentinels = sentinelsThatKnowEachOther(3, '10.1.0.1:6379');
const plan = {
  name: 'trial',
  epoch: 7,
  chosen: { id: 'redis-2', address: '10.1.0.2', port: 6379 },
  followers: ['redis-1', 'redis-2', 'redis-3'],
  sentinels,
};

test('every Sentinel hears of it before anyone is promoted, the gates last', () => {
  expect(turnOf(plan).map(({ kind }) => kind)).toEqual([
    ...['hello', 'hello', 'hello', 'promote', 'follow', 'follow', 'tell-gates'],
  ]);
  expect(turnOf(plan).filter(({ kind }) => kind === 'follow')).toEqual([
    { kind: 'follow', member: 'redis-1', primary: 'redis-2' },
    { kind: 'follow', member: 'redis-3', primary: 'redis-2' },
  ]);
});

test('each believes it, from a colleague as it knows it', () => {
  for (const action of turnOf(plan)) {
    if (action.kind === 'hello') sentinels.find(({ id }) => id === action.sentinel)?.hello(action.text);
  }
  for (const { primary, configEpoch, strangers } of sentinels) {
    expect({ primary, configEpoch, strangers }).toEqual({
      primary: '10.1.0.2:6379',
      configEpoch: 7,
      strangers: [],
    });
  }
});

test('one that knows no colleague is not told: it would believe in one that does not exist', () => {
  const alone = { id: 'sentinel-9', colleagues: [] };
  const told = turnOf({ ...plan, sentinels: [...sentinels, alone] });
  expect(told.filter(({ kind }) => kind === 'hello')).toHaveLength(3);
});
