import { Buffer } from 'node:buffer';
import { createRequestFrame, frameRequest, redisRequestLimits } from '../../resp/request.ts';
import type { Run } from '../upstream/run-ring.ts';

/** Why a server refused without executing; null for every other error, which is the client's to see. */
export type Refusal = 'readonly' | 'not-ready' | null;

const prefixes: [string, Refusal][] = [
  ['-READONLY ', 'readonly'],
  ['-UNBLOCKED force unblock ', 'readonly'],
  ['-NOREPLICAS ', 'not-ready'],
  ['-LOADING ', 'not-ready'],
  ['-MASTERDOWN ', 'not-ready'],
];

export function refusalOf(buf: Buffer, start: number, end: number): Refusal {
  const head = buf.toString('latin1', start, Math.min(end, start + 32));
  for (const [prefix, refusal] of prefixes) if (head.startsWith(prefix)) return refusal;
  if (!head.startsWith('-EXECABORT ')) return null;
  const text = buf.toString('latin1', start, end);
  if (text.includes(' of: READONLY ')) return 'readonly';
  return text.includes(' of: NOREPLICAS ') ? 'not-ready' : null;
}

/** The bytes of the request in `run` whose reply comes next, copied. */
export function currentRequest(run: Run): Buffer {
  return requestsOf(run)[0] as Buffer;
}

/** The bytes of every request in `run` that is not answered, copied. */
export function requestsOf(run: Run): Buffer[] {
  const bytes = run.bytes as Buffer;
  const frame = createRequestFrame();
  const requests: Buffer[] = [];
  let pos = run.start;
  for (let index = 0; index < run.count; index++) {
    const end = frameRequest(bytes, pos, run.end, frame, redisRequestLimits);
    if (index >= run.count - run.left) requests.push(Buffer.from(bytes.subarray(pos, end)));
    pos = end;
  }
  return requests;
}
