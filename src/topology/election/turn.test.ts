import { expect, test } from 'vitest';
import { sentinelsThatKnowEachOther } from '../../../test/support/voting-sentinel.ts';
import { turnOf } from './turn.ts';

const sentinels = sentinelsThatKnowEachOther(3, '10.1.0.1:6379');
const plan = {
  name: 'trial',
  epoch: 7,
  chosen: { id: 'redis-2', address: '10.1.0.2', port: 6379 },
  lost: 'redis-1',
  followers: ['redis-1', 'redis-2', 'redis-3'],
  sentinels,
};

test('the chosen first, so that nobody comes to it too early; the replaced one once there is another primary; gates last', () => {
  expect(turnOf(plan)).toMatchObject([
    { kind: 'promote', member: 'redis-2' },
    { kind: 'follow', member: 'redis-3', primary: 'redis-2' },
    ...[{ kind: 'hello' }, { kind: 'hello' }, { kind: 'hello' }],
    { kind: 'follow', member: 'redis-1', primary: 'redis-2' },
    { kind: 'tell-gates', primary: 'redis-2' },
  ]);
});

const told = { primary: '10.1.0.2:6379', configEpoch: 7, strangers: [] };

test('what the chosen publishes is enough: each Sentinel believes it, from a colleague as it knows it', () => {
  const promote = turnOf(plan).find(({ kind }) => kind === 'promote');
  const listeners = sentinelsThatKnowEachOther(3, '10.1.0.1:6379');
  const hellos = promote?.kind === 'promote' ? promote.hellos : [];
  for (const each of listeners) for (const text of hellos) each.hello(text);
  for (const each of listeners) expect(each).toMatchObject(told);
});

test('what each is told is enough, too', () => {
  for (const action of turnOf(plan)) {
    if (action.kind === 'hello') sentinels.find(({ id }) => id === action.sentinel)?.hello(action.text);
  }
  for (const each of sentinels) expect(each).toMatchObject(told);
});

test('one that knows no colleague is not told: it would believe in one that does not exist', () => {
  const alone = { id: 'sentinel-9', colleagues: [] };
  const all = turnOf({ ...plan, sentinels: [...sentinels, alone] });
  expect(all.filter(({ kind }) => kind === 'hello')).toHaveLength(3);
});
