import { expect, test } from 'vitest';
import { parseRoute } from './route.ts';

test('addresses lead to pages, unknown ones to the overview, with what they name', () => {
  const read = (hash: string) => {
    const { page, noPage, id, query } = parseRoute(hash);
    return [page, noPage, id, query.toString()];
  };
  expect(read('')).toEqual(['overview', null, null, '']);
  expect(read('#/')).toEqual(['overview', null, null, '']);
  expect(read('#/members')).toEqual(['members', null, null, '']);
  expect(read('#/members/redis%2F1')).toEqual(['members', null, 'redis/1', '']);
  expect(read('#/members/redis-1/x')).toEqual(['members', null, 'redis-1/x', '']);
  expect(read('#/constructor/x')).toEqual(['overview', 'constructor', 'x', '']);
  expect(read('#/no%20such?find=x')).toEqual(['overview', 'no such', null, 'find=x']);
  expect(read('#/members/%')).toEqual(['members', null, '%', '']);
  expect(read('#/events?find=a/b%3F')).toEqual(['events', null, null, 'find=a%2Fb%3F']);
  expect(read('#/gates/gate-1?find=?&x')).toEqual(['gates', null, 'gate-1', 'find=%3F&x=']);
});
