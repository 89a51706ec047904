import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replaceElements } from './replaced-replies.ts';
import { markLimit, markOf, markReply, placeAt, readCursor } from './scan-cursor.ts';

const place = fc.integer({ min: 1, max: 2 ** 34 });
const run = fc.stringMatching(/^[0-9a-f]{40}$/);
const reply = (cursor: number | string) =>
  Buffer.from(`*2\r\n$${String(cursor).length}\r\n${cursor}\r\n*1\r\n$1\r\na\r\n`);
const cursorIn = (bytes: Buffer) => String(bytes).split('\r\n')[2] as string;

test('a cursor goes on at the server that gave it, and starts over at every other', () => {
  fc.assert(
    fc.property(place, run, run, (at, here, there) => {
      const marked = markReply(reply(at), 0, reply(at).length, markOf(here)) as Buffer;
      const cursor = readCursor(cursorIn(marked));
      if (cursor === null) return false;
      const exact =
        Number(cursorIn(marked)) < 2 ** 53 && marked.subarray(-13).equals(reply(at).subarray(-13));
      const elsewhere = markOf(there) === markOf(here) ? at : 0;
      return exact && placeAt(cursor, markOf(here)) === at && placeAt(cursor, markOf(there)) === elsewhere;
    }),
  );
});

test('marks fit, none is 0, and what has no mark starts over', () => {
  fc.assert(fc.property(fc.string(), (name) => markOf(name) >= 1 && markOf(name) <= markLimit));
  expect(placeAt(readCursor('17') as { place: number; mark: number }, markOf('x'))).toBe(0);
  expect(readCursor('0')).toEqual({ place: 0, mark: 0 });
});

test('the end of an iteration, errors, and what is no cursor stay as they are', () => {
  expect(markReply(reply(0), 0, reply(0).length, 5)).toBeNull();
  expect(markReply(Buffer.from('-ERR invalid cursor\r\n'), 0, 21, 5)).toBeNull();
  for (const text of ['', 'a', '-1', '1.5', '18446744073709551615', '9007199254740993'])
    expect(readCursor(text)).toBeNull();
  expect(markReply(reply(2 ** 36), 0, 100, 5)?.toString()).toMatch(
    /^-ERR the server's cursor 68719476736 has no room/,
  );
});

test('in the answers of a transaction, the cursors are marked and nothing else', () => {
  const bytes = Buffer.concat([
    Buffer.from('xx*3\r\n'),
    reply(7),
    Buffer.from('>1\r\n:1\r\n+OK\r\n'),
    reply(7),
  ]);
  const mark = (index: number, start: number, end: number) =>
    index === 2 ? markReply(bytes, start, end, 1) : null;
  const marked = replaceElements(bytes, 2, bytes.length, mark);
  expect(String(marked)).toBe(`*3\r\n${reply(7)}>1\r\n:1\r\n+OK\r\n${reply(2 ** 35 + 7)}`);
});
