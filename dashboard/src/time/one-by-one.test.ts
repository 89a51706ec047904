import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { oneByOne } from './one-by-one.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('each piece of work has a turn of its own, in order, and what was taken back is not done', () => {
  const done: string[] = [];
  const add = (name: string) => oneByOne(() => done.push(name));
  const [, takeBack] = [add('a'), add('b'), add('c')];
  expect(done).toEqual([]);
  vi.advanceTimersToNextTimer();
  expect(done).toEqual(['a']);
  takeBack();
  vi.advanceTimersToNextTimer();
  expect(done).toEqual(['a', 'c']);
  add('d');
  vi.runAllTimers();
  expect(done).toEqual(['a', 'c', 'd']);
  expect(vi.getTimerCount()).toBe(0);
});

test('work that fails takes no other with it', () => {
  const done: string[] = [];
  oneByOne(() => {
    throw new Error('no canvas');
  });
  oneByOne(() => done.push('after'));
  expect(() => vi.advanceTimersToNextTimer()).toThrow('no canvas');
  vi.runAllTimers();
  expect(done).toEqual(['after']);
});
