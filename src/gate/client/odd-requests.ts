import { splitInline } from '../../resp/arguments.ts';
import { MALFORMED } from '../../resp/request.ts';
import { writeRequest } from '../../resp/write.ts';
import type { Client } from './client.ts';

/** Takes a request that is malformed, empty or a line of words; `next` is what framing said of it. */
export function takeOdd(client: Client, next: number): void {
  const { requests, retries } = client;
  if (next === MALFORMED) {
    client.fail(`ERR ${requests.frame.error}`);
    return;
  }
  const line = requests.buf.subarray(requests.pos, next);
  requests.take(next);
  if (requests.frame.count === 0) return;
  const words = splitInline(line.subarray(0, line.length - 1));
  if (words === undefined) client.fail('ERR Protocol error: unbalanced quotes in request');
  else if (words.length > 0 && client.router.routes !== null) requests.putBefore(writeRequest(words));
  else if (words.length > 0) retries.push({ request: writeRequest(words) });
}
