import { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Outbox } from './outbox.ts';
import type { ReplySink, Run } from './run.ts';
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
    run.begin(null, count, false, null);
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

test('what was answered is not kept, however long it was', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const { ring, outbox, answer } = makeOutbox();
  const refs: WeakRef<ArrayBufferLike>[] = [];
  const addLong = () => {
    const bytes = Buffer.alloc(100_000);
    refs.push(new WeakRef(bytes.buffer));
    const run = ring.push();
    run.begin(null, 1, false, null);
    outbox.add(run, bytes, 0, bytes.length, true);
  };
  addLong();
  for (let round = 0; round < 10; round++) {
    addLong();
    await turn();
    answer(1, 10);
  }
  await turn();
  collect();
  // Of the last ones, one is unanswered, and the ring still knows the runs before it.
  expect(refs.slice(0, 6).filter((ref) => ref.deref() !== undefined)).toEqual([]);
  expect(ring.peek()?.bytes).toHaveLength(100_000);
});

test('what was written is what counts as sent, byte for byte, whatever is added, answered and dropped when', async () => {
  const clients = [1, 2, 3].map(() => ({}) as ReplySink);
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        who: fc.nat(2),
        bytes: fc.oneof(fc.nat(40), fc.nat(70_000), fc.constant(64 * 1024)),
        lasts: fc.boolean(),
        count: fc.integer({ min: 1, max: 9 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('answer' as const),
        runs: fc.integer({ min: 1, max: 5 }),
        each: fc.constantFrom(5, 50_000, 900_000),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'turn' as const }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), who: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'flush all' as const }) },
  );
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const { ring, outbox, writes, answer } = makeOutbox();
    /** The bytes of what is in the ring, and of what was answered. */
    const bytesOf = new Map<Run, string>();
    let gone = '';
    let next = 0;
    for (const each of steps) {
      if (each.kind === 'add') {
        const text = String.fromCharCode(33 + (next++ % 90)).repeat(each.bytes);
        const run = ring.push();
        run.begin(clients[each.who] as ReplySink, each.count, false, null);
        bytesOf.set(run, text);
        outbox.add(run, Buffer.from(text), 0, text.length, each.lasts);
      } else if (each.kind === 'answer') {
        const runs = Math.min(each.runs, ring.sent);
        for (let index = 0; index < runs; index++) gone += bytesOf.get(ring.at(index));
        answer(runs, each.each);
      } else if (each.kind === 'turn') await turn();
      else if (each.kind === 'flush all') outbox.flushAll();
      else if (ring.dropUnsent(clients[each.who] as ReplySink, () => {}) > 0) outbox.compact();
      const kept = Array.from({ length: ring.size }, (_, index) => ring.at(index));
      const sent = kept
        .slice(0, ring.sent)
        .map((run) => bytesOf.get(run))
        .join('');
      expect(writes.join('') === gone + sent).toBe(true);
      expect(
        kept.every((run) => run.bytes?.toString('latin1', run.start, run.end) === bytesOf.get(run)),
      ).toBe(true);
    }
  });
  await fc.assert(property, { numRuns: 200, seed: 1 });
});
