import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OverlongReply, Push, type Reply, ReplyError } from './read.ts';
import { ReplyReader } from './reply-reader.ts';

function readAll(chunks: Buffer[], maxBytes = 1e6, raw = false): Reply[] {
  const reader = new ReplyReader(maxBytes);
  const replies: Reply[] = [];
  for (const chunk of chunks) {
    // A socket's memory is used again for the next read.
    const lent = Buffer.from(chunk);
    reader.add(lent);
    while (reader.next()) replies.push(reader.take(raw));
  }
  return replies;
}

const wire = Buffer.from(
  '+OK\r\n:7\r\n:9223372036854775807\r\n$5\r\nhe\r\nl\r\n*2\r\n$1\r\na\r\n*1\r\n_\r\n>2\r\n+message\r\n$2\r\nhi\r\n-ERR no\r\n$-1\r\n%1\r\n+k\r\n,1.5\r\n',
);
const meant = [
  'OK',
  7,
  9223372036854775807n,
  'he\r\nl',
  ['a', [null]],
  new Push(['message', 'hi']),
  new ReplyError('ERR no'),
  null,
  ['k', 1.5],
];

test('what is longer than is held goes by, however it arrives, and the others are as they are', () => {
  const long = 'x'.repeat(100);
  const bulk = `$100\r\n${long}\r\n`;
  const cases: [wire: string, isLong: boolean][] = [
    ['+OK\r\n', false],
    [bulk, true],
    [`*3\r\n$1\r\na\r\n${bulk}*2\r\n$-1\r\n:1\r\n`, true],
    ['$-1\r\n', false],
    [`*2\r\n*2\r\n${bulk}${bulk}$-1\r\n`, true],
    [`%1\r\n$1\r\na\r\n=104\r\ntxt:${long}\r\n`, true],
    [`>2\r\n$1\r\na\r\n${bulk}`, false],
    [':7\r\n', false],
  ];
  const bytes = Buffer.from(cases.map(([wireOf]) => wireOf).join(''));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 300 }), (cuts) => {
      const reader = new ReplyReader(1e6);
      const found: Reply[] = [];
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      for (const [index, end] of at.slice(1).entries()) {
        reader.add(Buffer.from(bytes.subarray(at[index], end)));
        while (reader.next(20)) {
          expect(reader.isPush).toBe(found.length === 6);
          found.push(reader.take(false));
        }
      }
      expect(found.length).toBe(cases.length);
      for (const [index, [of, isLong]] of cases.entries()) {
        const reply = found[index];
        if (reply instanceof OverlongReply)
          expect([index, isLong, reply.text]).toEqual([index, true, new OverlongReply(of.length).text]);
        else expect([index, reply]).toEqual([index, readAll([Buffer.from(of)])[0]]);
      }
    }),
  );
  const reader = new ReplyReader(1e6);
  let passed: Reply = null;
  for (const byte of Buffer.from(bulk)) {
    reader.add(Buffer.from([byte]));
    if (reader.next(20)) passed = reader.take(false);
  }
  expect(passed).toEqual(new OverlongReply(bulk.length));
});

describe('replies are the same however they arrive', () => {
  test('at once, and byte by byte', () => {
    expect(readAll([wire])).toEqual(meant);
    expect(readAll([...wire].map((byte) => Buffer.from([byte])))).toEqual(meant);
  });

  test('cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: wire.length }), { maxLength: 6 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), wire.length];
        const chunks = at.slice(1).map((end, index) => wire.subarray(at[index], end));
        expect(readAll(chunks)).toEqual(meant);
      }),
    );
  });

  test('a long one in many pieces', () => {
    const value = Buffer.alloc(300_000, 0x61);
    const long = Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n+after\r\n')]);
    const chunks = Array.from({ length: Math.ceil(long.length / 1000) }, (_, index) =>
      long.subarray(index * 1000, (index + 1) * 1000),
    );
    const [first, second] = readAll(chunks, 1e6, true);
    expect(value.equals(first as Buffer)).toBe(true);
    expect(second).toBe('after');
  });
});

test('push messages are told apart before they are read', () => {
  const reader = new ReplyReader(100);
  reader.add(Buffer.from('>1\r\n+x\r\n+y\r\n'));
  expect(reader.next() && reader.isPush).toBe(true);
  reader.take(false);
  expect(reader.next() && !reader.isPush).toBe(true);
});

test.each<[string, string | Buffer, string]>([
  ['more than the bound, all there', `$60\r\n${'x'.repeat(60)}\r\n`, 'more than 50 bytes'],
  ['more than the bound, still coming', `$1000\r\n${'x'.repeat(60)}`, 'more than 50 bytes'],
  ['many small elements', '*30\r\n'.padEnd(80, ':1\r\n'), 'more than 50 bytes'],
  ['no RESP', 'HTTP/1.1 200 OK\r\n', 'not RESP'],
  ['a big number that is none', '(12x\r\n', 'not RESP'],
])('%s is an error', (_name, bytes, text) => {
  expect(() => readAll([Buffer.from(bytes)], 50)).toThrow(text);
});

test('arrays within arrays without end are an error, not the end of the process', () => {
  const deep = Buffer.from(`${'*1\r\n'.repeat(200_000)}+x\r\n`);
  expect(() => readAll([deep])).toThrow('not RESP');
});

test('what is queued goes by in any number, however it arrives, and everything else is read', () => {
  const other = fc.constantFrom('+OK\r\n', ':1\r\n', '-ERR no\r\n', '+QUEUE\r\n', '*1\r\n+QUEUED\r\n');
  const part = fc.oneof(fc.integer({ min: 1, max: 1200 }), other);
  const cut = fc.integer({ min: 1, max: 3000 });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.array(cut, { minLength: 1 }), (parts, cuts) => {
      const text = parts
        .map((each) => (typeof each === 'number' ? '+QUEUED\r\n'.repeat(each) : each))
        .join('');
      const bytes = Buffer.from(text);
      const reader = new ReplyReader(1e6);
      let passed = 0;
      const found: Reply[] = [];
      for (let at = 0, turn = 0; at < bytes.length; at += cuts[turn++ % cuts.length]!) {
        reader.add(Buffer.from(bytes.subarray(at, at + cuts[turn % cuts.length]!)));
        passed += reader.passQueued(2000);
        while (reader.next()) {
          found.push(reader.take(false));
          passed += reader.passQueued(2000);
        }
      }
      const whole = readAll([bytes]);
      expect(found.filter((each) => each !== 'QUEUED')).toEqual(whole.filter((each) => each !== 'QUEUED'));
      expect(passed + found.length).toBe(whole.length);
    }),
  );
});

test('no more goes by than was said', () => {
  const reader = new ReplyReader(1e6);
  reader.add(Buffer.from('+QUEUED\r\n'.repeat(700)));
  expect([reader.passQueued(3), reader.passQueued(600), reader.passQueued(600)]).toEqual([3, 600, 97]);
});
