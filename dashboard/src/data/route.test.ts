import { expect, test } from 'vitest';
import { parseRoute } from './route.ts';

test('addresses lead to pages, unknown ones to the overview', () => {
  const read = (hash: string) => {
    const { page, id, query } = parseRoute(hash);
    return [page, id, query.toString()];
  };
  expect(read('')).toEqual(['overview', null, '']);
  expect(read('#/members')).toEqual(['members', null, '']);
  expect(read('#/members/redis%2F1')).toEqual(['members', 'redis/1', '']);
  expect(read('#/constructor/x')).toEqual(['overview', 'x', '']);
  expect(read('#/members/%')).toEqual(['members', null, '']);
  expect(read('#/events?find=a/b%3F')).toEqual(['events', null, 'find=a%2Fb%3F']);
  expect(read('#/gates/gate-1?find=?&x')).toEqual(['gates', 'gate-1', 'find=%3F&x=']);
});
