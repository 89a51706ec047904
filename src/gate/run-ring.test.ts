import { expect, test } from 'vitest';
import { RunRing } from './run-ring.ts';

test('runs come out in the order they went in, while the ring turns and grows', () => {
  const ring = new RunRing();
  const out: number[] = [];
  let next = 0;
  for (let turn = 1; turn < 60; turn++) {
    for (let index = 0; index < turn; index++) ring.push().count = next++;
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
