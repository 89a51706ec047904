import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Inbox } from './inbox.ts';

/** Reads as a socket does: as much as there is room for, and no more than `most`. */
function read(inbox: Inbox, bytes: Buffer, most: number): Buffer {
  const room = inbox.room();
  const taken = bytes.subarray(0, Math.min(most, room.length));
  taken.copy(room);
  inbox.received(taken.length);
  return bytes.subarray(taken.length);
}

const all = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 7 + (index >> 8)) & 255));

test('what is read comes out in order, and what is lent stays as it was', () => {
  const step = fc.record({
    most: fc.nat(200_000),
    consumed: fc.nat(300_000),
    lend: fc.boolean(),
    whole: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.boolean(), (steps, chunks) => {
      const inbox = new Inbox();
      const lent: { part: Buffer; was: Buffer }[] = [];
      let rest: Buffer = all;
      let seen = 0;
      for (const { most, consumed, lend, whole } of steps) {
        if (chunks) {
          inbox.add(rest.subarray(0, most));
          rest = rest.subarray(most);
        } else rest = read(inbox, rest, most);
        const taken = whole ? inbox.end - inbox.start : Math.min(consumed, inbox.end - inbox.start);
        const part = inbox.buf.subarray(inbox.start, inbox.start + taken);
        expect(part.equals(all.subarray(seen, seen + taken))).toBe(true);
        if (lend) {
          inbox.lend();
          lent.push({ part, was: Buffer.from(part) });
        }
        inbox.taken(inbox.start + taken);
        seen += taken;
      }
      for (const { part, was } of lent) expect(part.equals(was)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('reads that fill their room are given more, and an empty inbox that was large is let go', () => {
  const inbox = new Inbox();
  const first = inbox.room().length;
  read(inbox, Buffer.alloc(first), first);
  expect(inbox.room().length).toBeGreaterThan(first * 2);
  inbox.add(Buffer.alloc(5_000_000));
  inbox.taken(inbox.end);
  expect(inbox.room().length).toBe(first);
});
