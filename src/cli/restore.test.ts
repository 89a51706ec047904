import { expect, test } from 'vitest';
import { whoHasIt } from './restore.ts';

test('who has what was restored is said of those that have it', () => {
  const primary = 'redis-3';
  const said = (copies: string[], behind: string[]) => whoHasIt({ primary, copies, behind });
  expect(said(['redis-1', 'redis-2'], [])).toBe('redis-3 and its replicas');
  expect(said([], [])).toBe('redis-3');
  expect(said(['redis-1'], ['redis-2'])).toBe('redis-3 and redis-1 (redis-2 does not have them yet)');
  expect(said([], ['redis-1', 'redis-2'])).toBe('redis-3 (redis-1 and redis-2 do not have them yet)');
});
