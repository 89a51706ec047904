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
        requests.pos = next;
      }
      requests.keep();
    }
    expect(seen.join('')).toBe(bytes.toString('latin1'));
    expect(requests.size).toBe(0);
  }
});
