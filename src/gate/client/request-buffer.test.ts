import { expect, test } from 'vitest';
import { redisRequestLimits } from '../../resp/request.ts';
import { writeRequest } from '../../resp/write.ts';
import { RequestBuffer } from './request-buffer.ts';

test('half a request is kept when the memory that it came in is used again, wherever it is cut', () => {
  const bytes = Buffer.concat([writeRequest(['SET', 'key', 'value']), writeRequest(['GET', 'key'])]);
  const shared = Buffer.alloc(100);
  for (let cut = 1; cut < bytes.length; cut++) {
    const requests = new RequestBuffer();
    const seen: string[] = [];
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      shared.fill('#');
      part.copy(shared, 5);
      requests.add(shared, 5, 5 + part.length);
      for (;;) {
        const next = requests.next(requests.pos, redisRequestLimits);
        if (next < 0) break;
        seen.push(requests.buf.toString('latin1', requests.pos, next));
        requests.take(next);
      }
      requests.keep();
    }
    expect(seen.join('')).toBe(bytes.toString('latin1'));
    expect(requests.size).toBe(0);
  }
});

test('a long element is moved a few times at most while it comes, and its memory is no longer than it', () => {
  const length = 8 * 1024 * 1024;
  const watch = Buffer.concat([
    Buffer.from(`*2\r\n$5\r\nWATCH\r\n$${length}\r\n`),
    Buffer.alloc(length, 'k'),
    Buffer.from('\r\n'),
  ]);
  const requests = new RequestBuffer();
  const moved = new Set<Buffer>();
  const piece = 64 * 1024;
  let next = 0;
  for (let at = 0; at < watch.length; at += piece) {
    requests.add(watch, at, Math.min(at + piece, watch.length));
    next = requests.next(requests.pos, redisRequestLimits);
    requests.keep();
    moved.add(requests.buf);
  }
  expect(next).toBe(watch.length);
  expect(requests.buf.subarray(0, next).equals(watch)).toBe(true);
  expect(moved.size).toBeLessThanOrEqual(5);
  expect(requests.buf.length).toBeLessThan(watch.length + 64);
});
