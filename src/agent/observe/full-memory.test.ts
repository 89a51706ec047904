import { expect, test } from 'vitest';
import { fullMemory } from './full-memory.ts';
import { vitalsOf } from './member-vitals.ts';

const using = (used: number, max: number) =>
  vitalsOf({ used_memory: String(used), maxmemory: String(max), redis_version: '7.0.15' });

test('a server that is about to refuse writes for want of memory says so, one that evicts or has room does not', () => {
  expect(fullMemory('redis-1', using(96, 100), 'noeviction')).toMatch(
    /redis-1: with noeviction writes are refused/,
  );
  expect(fullMemory('redis-1', using(94, 100), 'noeviction')).toBeNull();
  expect(fullMemory('redis-1', using(100, 100), 'allkeys-lru')).toBeNull();
  expect(fullMemory('redis-1', using(100, 0), 'noeviction')).toBeNull();
  expect(fullMemory('redis-1', null, 'noeviction')).toBeNull();
});
