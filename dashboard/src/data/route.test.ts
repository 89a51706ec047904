import { expect, test } from 'vitest';
import { parseRoute } from './route.ts';

test('addresses lead to pages, unknown ones to the overview', () => {
  expect(parseRoute('')).toEqual({ page: 'overview', id: null });
  expect(parseRoute('#/members')).toEqual({ page: 'members', id: null });
  expect(parseRoute('#/members/redis%2F1')).toEqual({ page: 'members', id: 'redis/1' });
  expect(parseRoute('#/constructor/x')).toEqual({ page: 'overview', id: 'x' });
  expect(parseRoute('#/members/%')).toEqual({ page: 'members', id: null });
});
