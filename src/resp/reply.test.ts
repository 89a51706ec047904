import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Push, ReplyError, readReply } from './read.ts';
import { frameReply, REPLY_INCOMPLETE, REPLY_MALFORMED } from './reply.ts';
import { writeBulk, writeError, writeInteger, writeSimple } from './write.ts';

const cases: [string, unknown][] = [
  ['+OK\r\n', 'OK'],
  ['+\r\n', ''],
  ['-ERR no\r\n', new ReplyError('ERR no')],
  [':42\r\n', 42],
  [':-1\r\n', -1],
  ['$5\r\nhello\r\n', 'hello'],
  ['$0\r\n\r\n', ''],
  ['$-1\r\n', null],
  ['$12\r\nhello\r\nworld\r\n', 'hello\r\nworld'],
  ['*0\r\n', []],
  ['*-1\r\n', null],
  ['*2\r\n:1\r\n*1\r\n$1\r\na\r\n', [1, ['a']]],
  ['*3\r\n*0\r\n*-1\r\n$-1\r\n', [[], null, null]],
  ['_\r\n', null],
  ['#t\r\n', true],
  ['#f\r\n', false],
  [',1.5\r\n', 1.5],
  [',inf\r\n', Number.POSITIVE_INFINITY],
  [',-inf\r\n', Number.NEGATIVE_INFINITY],
  ['(12345678901234567890\r\n', 12345678901234567890n],
  ['!5\r\nERR x\r\n', new ReplyError('ERR x')],
  ['=7\r\ntxt:abc\r\n', 'abc'],
  ['%1\r\n+a\r\n:1\r\n', ['a', 1]],
  ['~2\r\n+a\r\n+b\r\n', ['a', 'b']],
  ['>2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n', new Push(['invalidate', ['k']])],
  ['|1\r\n+ttl\r\n:5\r\n+OK\r\n', 'OK'],
];

describe('every type of reply', () => {
  test.each(cases)('%j', (text, value) => {
    const buf = Buffer.from(text);
    expect(frameReply(buf, 0, buf.length, { missing: 0, at: 0 })).toBe(buf.length);
    expect(readReply(buf, 0, buf.length)).toEqual(value);
  });

  test.each(cases)('%j, byte by byte', (text) => {
    const buf = Buffer.from(text);
    const progress = { missing: 0, at: 0 };
    for (let end = 1; end < buf.length; end++) {
      expect(frameReply(buf, 0, end, progress)).toBe(REPLY_INCOMPLETE);
    }
    expect(frameReply(buf, 0, buf.length, progress)).toBe(buf.length);
  });
});

test.each(['x\r\n\r\n', '*x\r\n+a\r\n', '$-2\r\n....', '$x\r\n....', '%-1\r\n...', '+a\rb\r\n'])(
  '%j is malformed',
  (text) => {
    const buf = Buffer.from(text);
    expect(frameReply(buf, 0, buf.length, { missing: 0, at: 0 })).toBe(REPLY_MALFORMED);
  },
);

/** Items as they may stand in an aggregate: pushes among them don't count, and none is the last. */
function inside(items: string[]): { count: number; text: string } {
  const all = items.at(-1)?.startsWith('>') ? [...items, '_\r\n'] : items;
  return { count: all.filter((item) => !item.startsWith('>')).length, text: all.join('') };
}

/** A reply of any shape, as bytes. */
const { reply } = fc.letrec<{ reply: string; leaf: string }>((tie) => ({
  leaf: fc.oneof(
    fc.string({ maxLength: 20 }).map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`),
    fc.integer().map((value) => `:${value}\r\n`),
    fc.constantFrom(
      '+OK\r\n',
      '-ERR a b\r\n',
      '$-1\r\n',
      '*-1\r\n',
      '_\r\n',
      '#t\r\n',
      ',3.25\r\n',
      '(1\r\n',
    ),
  ),
  reply: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    tie('leaf'),
    fc
      .tuple(fc.constantFrom('*', '~', '>'), fc.array(tie('reply'), { maxLength: 12 }))
      .map(([type, items]) => {
        const { count, text } = inside(items);
        return `${type}${count}\r\n${text}`;
      }),
    fc.array(fc.tuple(tie('leaf'), tie('reply')), { maxLength: 4 }).map((pairs) => {
      const { count, text } = inside(
        pairs.flatMap(([key, value]) => (value.startsWith('>') ? [value, key, key] : [key, value])),
      );
      return `%${count / 2}\r\n${text}`;
    }),
  ),
}));

test('any replies, cut anywhere, have the same ends', () => {
  fc.assert(
    fc.property(
      fc.array(reply, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(20), { minLength: 1 }),
      (all, cuts) => {
        const whole = Buffer.from(all.join(''));
        const progress = { missing: 0, at: 0 };
        const seen: string[] = [];
        let pos = 0;
        let end = 0;
        for (let turn = 0; end < whole.length; turn++) {
          end = Math.min(whole.length, end + 1 + (cuts[turn % cuts.length] as number));
          for (let next = 0; pos < end; pos = next) {
            next = frameReply(whole, pos, end, progress);
            if (next < 0) break;
            seen.push(whole.toString('utf8', pos, next));
          }
        }
        expect(seen).toEqual(all);
      },
    ),
  );
});

test('what is written reads back', () => {
  expect(writeError('ERR a\r\nb').toString()).toBe('-ERR a b\r\n');
  expect(writeSimple('OK').toString()).toBe('+OK\r\n');
  expect(writeInteger(-3).toString()).toBe(':-3\r\n');
  expect(writeBulk('é').toString()).toBe('$2\r\né\r\n');
  expect(writeBulk(null).toString()).toBe('$-1\r\n');
  expect(writeBulk(null, 3).toString()).toBe('_\r\n');
});
