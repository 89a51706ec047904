import { expect, test } from 'vitest';
import { Room } from './room.ts';

test('a part of the files is kept for what the gate asks by itself', () => {
  let taken = 0;
  const room = new Room(() => taken, 1000);
  const fits = (count: number) => {
    taken = count;
    return !room.isFull;
  };
  expect([fits(935), fits(936)]).toEqual([true, false]);
  expect(room.shortFor(936)).toBeNull();
  expect(room.shortFor(20_000)).toContain('limits.clients is 20000, and 936 clients');
});

test('of few files a quarter is kept; where nobody knows how many there are, all fit', () => {
  expect(new Room(() => 60, 80).isFull).toBe(true);
  expect(new Room(() => 59, 80).isFull).toBe(false);
  expect(new Room(() => 1e6, null).isFull).toBe(false);
});
