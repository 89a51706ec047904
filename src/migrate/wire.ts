/** Requests for some hundred keys at a time as one piece of memory, what refuses them, and the connection for them. */
import { constants } from 'node:buffer';
import type { ConnectionOptions } from '../redis/connection.ts';
import { RedisRefused } from '../redis/errors.ts';
import { Link } from '../redis/link.ts';
import { type Reply, ReplyError } from '../resp/read.ts';
import { writeRequest } from '../resp/write.ts';

/** A long value takes a server so long. */
const answerWithinMs = 120_000;
const connectWithinMs = 10_000;

/** A connection on which values of any length come and go. */
export function linkForValues(options: ConnectionOptions): Link {
  return new Link({
    ...options,
    timeoutMs: answerWithinMs,
    connectMs: connectWithinMs,
    maxReplyBytes: constants.MAX_LENGTH,
  });
}

/** The same commands for each key, one after the other. */
export function forEachKey(
  keys: readonly Buffer[],
  commands: readonly (readonly [string, ...string[]])[],
): Buffer {
  const shapes = commands.map(([name, ...words]) => {
    // SUBCOMMAND words stand before the key where the name has two.
    const [first, second] = name.split(' ') as [string, string?];
    const before = second === undefined ? [first] : [first, second];
    const count = before.length + 1 + words.length;
    const head = before.map((word) => `$${word.length}\r\n${word}\r\n`).join('');
    const tail = words.map((word) => `$${word.length}\r\n${word}\r\n`).join('');
    return { head: Buffer.from(`*${count}\r\n${head}$`), tail: Buffer.from(`\r\n${tail}`) };
  });
  const fixed = shapes.reduce((sum, { head, tail }) => sum + head.length + tail.length + 12, 0);
  const packed = Buffer.allocUnsafe(keys.reduce((sum, key) => sum + fixed + key.length * shapes.length, 0));
  let at = 0;
  for (const key of keys) {
    const length = `${key.length}\r\n`;
    for (const { head, tail } of shapes) {
      at += head.copy(packed, at);
      at += packed.write(length, at, 'latin1');
      at += key.copy(packed, at);
      at += tail.copy(packed, at);
    }
  }
  return packed.subarray(0, at);
}

const longBytes = 64 * 1024;

/** Requests as few pieces of memory, in which long values stand as they are: a copy of each would be held beside it. */
export function pieces(requests: readonly (readonly (string | Uint8Array)[])[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  let short: Uint8Array[] = [];
  for (const request of requests) {
    if (!request.some((each) => each.length >= longBytes)) {
      short.push(writeRequest(request));
      continue;
    }
    short.push(Buffer.from(`*${request.length}\r\n`));
    for (const each of request) {
      const bytes = typeof each === 'string' ? Buffer.from(each) : each;
      short.push(Buffer.from(`$${bytes.length}\r\n`));
      if (bytes.length >= longBytes) {
        found.push(Buffer.concat(short), bytes);
        short = [];
      } else short.push(bytes);
      short.push(Buffer.from('\r\n'));
    }
  }
  return short.length === 0 ? found : [...found, Buffer.concat(short)];
}

export function pack(requests: readonly (readonly (string | Uint8Array)[])[]): Buffer {
  return Buffer.concat(requests.map((each) => writeRequest(each)));
}

/** The replies, when none of them is an error. @throws REDIS_REFUSED for the first that is. */
export function unrefused(replies: readonly Reply[], where: string, what: string): readonly Reply[] {
  const refused = replies.find((reply) => reply instanceof ReplyError);
  if (refused instanceof ReplyError) {
    throw RedisRefused(`${where} answered ${what} with: ${refused.text}`, { cause: refused });
  }
  return replies;
}
