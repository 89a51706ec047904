import { expect, test } from 'vitest';
import { RunRing } from './run-ring.ts';

test('runs come out in the order they went in, while the ring turns and grows', () => {
  const ring = new RunRing();
  const out: number[] = [];
  let next = 0;
  for (let turn = 1; turn < 60; turn++) {
    for (let index = 0; index < turn; index++) ring.push().begin(null, next++, false, null);
    for (let index = 0; index < turn - 1; index++) {
      out.push((ring.peek() as { count: number }).count);
      ring.shift();
    }
  }
  while (ring.size > 0) {
    out.push((ring.peek() as { count: number }).count);
    ring.shift();
  }
  expect(out).toEqual(Array.from({ length: next }, (_, index) => index));
  expect(ring.peek()).toBeUndefined();
});

test('what was sent is counted from the first run on, and taken off with it', () => {
  const ring = new RunRing();
  for (const count of [2, 3, 4]) ring.push().begin(null, count, false, null);
  ring.markSent();
  ring.markSent();
  expect([ring.sent, ring.requestsSent]).toEqual([2, 5]);
  ring.shift();
  expect([ring.sent, ring.requestsSent]).toEqual([1, 3]);
  ring.shift();
  // The last one was never sent.
  ring.shift();
  expect([ring.sent, ring.requestsSent, ring.size]).toEqual([0, 0, 0]);
});
