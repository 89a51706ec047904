import { expect, test } from 'vitest';
import { Buffered } from './buffered.ts';

/** A client that has so much. */
class Holder {
  closed = false;
  unread = 0;
  counted = 0;
  readonly requests = { size: 1 };
  readonly #all: Buffered;

  constructor(all: Buffered) {
    this.#all = all;
  }

  has(bytes: number): void {
    this.unread = bytes;
    this.#all.update(this);
  }

  recount(): number {
    const before = this.counted;
    this.counted = this.closed ? 0 : this.unread;
    return this.counted - before;
  }

  close(): void {
    this.closed = true;
    this.#all.update(this);
  }
}

test('whoever fills the memory goes, not whoever brings something then', () => {
  const all = new Buffered(1_000_000);
  const greedy = Array.from({ length: 3 }, () => new Holder(all));
  const others = Array.from({ length: 5 }, () => new Holder(all));
  for (const each of greedy) each.has(330_000);
  for (const each of others) each.has(20_000);
  expect(greedy.map(({ closed }) => closed)).toEqual([true, false, false]);
  expect(others.some(({ closed }) => closed)).toBe(false);
  // What they had is given back: there is room for as much again.
  greedy[1]?.has(500_000);
  expect([...greedy, ...others].filter(({ closed }) => closed)).toHaveLength(1);
});

test('of many that have little the one goes that brought the last', () => {
  const all = new Buffered(1_000_000);
  const some = Array.from({ length: 60 }, () => new Holder(all));
  for (const each of some) each.has(20_000);
  expect(some.map(({ closed }) => closed)).toEqual(some.map((_each, index) => index >= 50));
});
