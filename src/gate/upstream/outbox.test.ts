import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { Outbox } from './outbox.ts';
import { RunRing } from './run-ring.ts';

/** An outbox whose socket keeps what is written to it. */
function makeOutbox() {
  const ring = new RunRing();
  const writes: string[] = [];
  const socket = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(chunk.toString('latin1'));
      done();
    },
  });
  const outbox = new Outbox(ring, socket);
  const add = (text: string, count = 1) => {
    const run = ring.push();
    run.count = count;
    outbox.add(run, Buffer.from(text), 0, text.length);
    return run;
  };
  /** The first `runs` runs were answered with `bytes` each. */
  const answer = (runs: number, bytes: number) => {
    const before = ring.requestsSent;
    for (let run = 0; run < runs; run++) ring.shift();
    outbox.answered(before - ring.requestsSent, bytes * runs);
  };
  /** Many replies of so many bytes, until that is what it expects. */
  const expectReplies = async (bytes: number) => {
    for (let round = 0; round < 100; round++) {
      add('x');
      await turn();
      answer(1, bytes);
    }
    writes.length = 0;
  };
  return { ring, outbox, writes, add, answer, expectReplies };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what one turn of the event loop brings leaves in one write', async () => {
  const { outbox, writes, add, ring } = makeOutbox();
  const runs = ['one', 'two', 'three'].map((text) => add(text));
  expect(writes).toEqual([]);
  await turn();
  expect(writes).toEqual(['onetwothree']);
  expect(ring.sent).toBe(3);
  expect(runs.map(({ bytes, start, end }) => bytes?.toString('latin1', start, end))).toEqual([
    'one',
    'two',
    'three',
  ]);
  outbox.close();
  add('four');
  await turn();
  expect(writes).toHaveLength(1);
});

test('with long replies only the window is written, and the rest as answers come', async () => {
  const { ring, writes, add, answer, expectReplies } = makeOutbox();
  await expectReplies(100_000);
  const requests = Array.from({ length: 30 }, (_, index) => `<${index}>`);
  for (const request of requests) add(request);
  await turn();
  expect(ring.sent).toBe(10);
  answer(2, 100_000);
  expect(writes.join('')).toBe(requests.slice(0, 10).join(''));
  answer(3, 100_000);
  expect(ring.sent).toBe(10);
  while (ring.size > 0) {
    expect(ring.requestsSent).toBeLessThanOrEqual(10);
    answer(1, 100_000);
  }
  expect(writes.join('')).toBe(requests.join(''));
});

test('a run that is larger than the window goes alone', async () => {
  const { ring, add, answer, expectReplies } = makeOutbox();
  await expectReplies(2_000_000);
  add('many', 50);
  add('few', 2);
  await turn();
  expect(ring.sent).toBe(1);
  answer(1, 100_000_000);
  expect(ring.sent).toBe(1);
  expect(ring.size).toBe(1);
});

test('a window that ends between segments, or in an old one, loses nothing', async () => {
  const { ring, writes, add, answer, expectReplies } = makeOutbox();
  await expectReplies(400_000);
  const requests = Array.from({ length: 40 }, (_, index) => String(index % 10).repeat(1 + index * 700));
  for (const request of requests) add(request);
  while (ring.size > 0) {
    await turn();
    answer(1, 400_000);
  }
  expect(writes.join('')).toBe(requests.join(''));
});

test('flushAll writes what the window keeps back', async () => {
  const { outbox, ring, writes, add, expectReplies } = makeOutbox();
  await expectReplies(2_000_000);
  for (const text of ['a', 'b', 'c']) add(text);
  outbox.flushAll();
  expect(writes).toEqual(['abc']);
  await turn();
  expect(writes).toEqual(['abc']);
  expect(ring.sent).toBe(3);
});
