/** Requests for some hundred keys at a time as one piece of memory, what refuses them, and the connection for them. */
import { constants } from 'node:buffer';
import type { ConnectionOptions } from '../redis/connection.ts';
import { RedisRefused } from '../redis/errors.ts';
import { Link } from '../redis/link.ts';
import { type Reply, ReplyError } from '../resp/read.ts';
import { writeRequest } from '../resp/write.ts';
import { ByteGatherer } from '../stream/byte-gatherer.ts';
import { grantHint, ruleIn } from './rights.ts';

/** A long value takes a server so long. */
export const answerWithinMs = 120_000;
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
    const before = name.split(' ');
    const bulks = (all: readonly string[]) => all.map((word) => `$${word.length}\r\n${word}\r\n`).join('');
    const head = Buffer.from(`*${before.length + 1 + words.length}\r\n${bulks(before)}`);
    return { head, tail: Buffer.from(bulks(words)) };
  });
  const perKey = shapes.reduce((sum, { head, tail }) => sum + head.length + tail.length + 12, 0);
  const packed = new ByteGatherer(keys.reduce((sum, key) => sum + perKey + key.length * shapes.length, 64));
  for (const key of keys) {
    for (const { head, tail } of shapes) {
      packed.add(head);
      packed.addBulk(key);
      if (tail.length > 0) packed.add(tail);
    }
  }
  return packed.slice(0, packed.length);
}

/** One command for all of them. */
export function manyKeys(name: string, keys: readonly Buffer[]): Buffer {
  const packed = new ByteGatherer(keys.reduce((sum, key) => sum + key.length + 16, 64));
  packed.addCommand([name, ...keys]);
  return packed.slice(0, packed.length);
}

export const longBytes = 64 * 1024;

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
    const text = `${where} answered ${what} with: ${refused.text}`;
    if (refused.kind !== 'NOPERM') throw RedisRefused(text, { cause: refused });
    throw RedisRefused(text, {
      hint: grantHint(ruleIn(refused.text)),
      cause: refused,
    });
  }
  return replies;
}
