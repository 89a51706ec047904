import { expect, test } from 'vitest';
import { FreshCall } from './fresh-call.ts';

/** Calls that end when the test says so, numbered as they begin. */
function calls() {
  const ends: (() => void)[] = [];
  const call = new FreshCall(() => new Promise((resolve) => ends.push(resolve)));
  return { call, began: () => ends.length, end: (which: number) => ends[which]?.() };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('one that is asked for while another is under way begins after it, and is shared', async () => {
  const { call, began, end } = calls();
  const done: string[] = [];
  void call.make().then(() => done.push('first'));
  void call.make().then(() => done.push('second'));
  void call.make().then(() => done.push('third'));
  await turn();
  expect(began()).toBe(1);
  end(0);
  await turn();
  expect([done, began()]).toEqual([['first'], 2]);
  // What is asked for now must not be content with the second, which has begun.
  void call.make().then(() => done.push('fourth'));
  end(1);
  await turn();
  expect([done, began()]).toEqual([['first', 'second', 'third'], 3]);
  end(2);
  await turn();
  expect(done.at(-1)).toBe('fourth');
  void call.make();
  expect(began()).toBe(4);
});
