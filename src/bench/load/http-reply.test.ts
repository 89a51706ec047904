import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HttpReplyReader } from './http-reply.ts';

const reply = (status: number, body: string) =>
  Buffer.from(
    `HTTP/1.1 ${status} Some Words\r\ncontent-type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

test('answers are read one after the other, however they are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ status: fc.integer({ min: 200, max: 599 }), body: fc.string() }), {
        maxLength: 4,
      }),
      fc.integer({ min: 1, max: 40 }),
      (answers, width) => {
        const reader = new HttpReplyReader();
        const seen: number[] = [];
        for (const { status, body } of answers) {
          const bytes = reply(status, body);
          for (let at = 0; at < bytes.length; at += width) {
            const progress = reader.push(bytes.subarray(at, at + width));
            if (progress.kind === 'whole') seen.push(progress.status);
            else expect(progress).toEqual({ kind: 'more' });
          }
        }
        expect(seen).toEqual(answers.map(({ status }) => status));
      },
    ),
  );
});

test.each([
  ['SSH-2.0-OpenSSH\r\n\r\n', 'NO_HTTP'],
  ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', 'NO_LENGTH'],
  ['HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab', 'TOO_MUCH'],
  ['x'.repeat(20_000), 'HEAD_TOO_LONG'],
])('what is no such answer is said: %#', (text, why) => {
  expect(new HttpReplyReader().push(Buffer.from(text))).toEqual({ kind: 'bad', why });
});
