import { expect, test } from 'vitest';
import { NamedMembers } from './members.ts';
import { initialState, sentinelsSeen, withSentinels } from './primary-state.ts';

const at = (id: string, address: string) => ({ id, address, port: 6379 });

test('members that stay are the same objects after others came and went', () => {
  const members = new NamedMembers([at('redis-1', '10.0.0.1'), at('redis-2', '10.0.0.2')]);
  const second = members.find({ address: '10.0.0.2', port: 6379 });
  members.replace([at('redis-2', '10.0.0.2'), at('redis-4', '10.0.0.4')]);
  expect(members.all.map(({ id }) => id)).toEqual(['redis-2', 'redis-4']);
  expect(members.all[0]).toBe(second);
  expect(members.find({ address: '10.0.0.1', port: 6379 })).toBeUndefined();
});

test('what Sentinels that stay said is kept, each at its new place', () => {
  const claim = (id: string) => ({ member: at(id, id), epoch: 3 });
  const before = {
    ...initialState({ sentinels: 3, majority: 2 }, 0),
    claims: [claim('a'), claim('b'), null],
  };
  const after = withSentinels(before, [1, null, 2]);
  expect(after.claims).toEqual([claim('b'), null, null]);
  expect(sentinelsSeen(after)).toBe(1);
});
