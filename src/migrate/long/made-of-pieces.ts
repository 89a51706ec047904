/** A value out of what DUMP gave, element by element, under a name that becomes the key's when all of it is there. */
import { errorCode, errorText } from '../../base/errors.ts';
import { Crc64 } from '../../rdb/crc64.ts';
import type { Target } from '../../rdb/target.ts';
import type { Link, Request } from '../../redis/link.ts';
import { type Reply, ReplyError } from '../../resp/read.ts';
import { ByteGatherer } from '../../stream/byte-gatherer.ts';
import { unclaimed } from '../../stream/copy-batch.ts';
import { type LongSource, LongValue } from '../../stream/long-value.ts';
import { type Expiry, leftMs } from '../expiry.ts';
import { pack } from '../wire.ts';
import type { Head } from './value-head.ts';

export interface Names {
  /** As it is called at the target. */
  key: Buffer;
  /** As it is called until it is whole. */
  name: Buffer;
  db: number;
}

/** What is not finished goes by itself. */
const unfinishedMs = 600_000;
const batchBytes = 2 ** 20;
/** Before the sum, of what follows the value. */
const versionBytes = 2;

/**
 * @returns what the target refused, or null; a text when the value can't be there.
 * @throws REDIS_UNREACHABLE
 */
export async function madeOfPieces(
  link: Link,
  { key, name, db }: Names,
  expiry: Expiry,
  head: Head,
  { source, target, longest }: { source: Target; target: Target; longest: number },
): Promise<Reply | { reason: string }> {
  const batch = new ByteGatherer(batchBytes);
  let commands = 0;
  const never = { expireMs: -1, expireHigh: -1, expireLow: -1 };
  const of: LongSource = { type: head.type, flavor: source.flavor, db, copyKey: () => key, ...never };
  const send = async (...more: Request[]): Promise<ReplyError | { reason: string } | undefined> => {
    batch.add(pack(more as (readonly (string | Buffer)[])[]));
    const replies = await link.exchange([batch.slice(0, batch.length)], commands + more.length);
    batch.clear();
    commands = 0;
    return firstRefusal(replies);
  };
  const keep: Request = ['PEXPIRE', name, String(unfinishedMs)];
  try {
    const long = new LongValue(of, name, { target, replaces: false, longest }, (pieces, count) => {
      for (const piece of pieces) batch.add(piece);
      commands += count;
    });
    const footer = Buffer.alloc(versionBytes + 8);
    const crc = new Crc64();
    crc.update(Buffer.from([head.type]));
    for await (const piece of head.body(head.before + 1, footer)) {
      crc.update(piece);
      // It looks back at what came before.
      long.add(Buffer.from(piece));
      const refused = batch.length >= batchBytes ? await send(keep) : undefined;
      if (refused !== undefined) return refused;
    }
    long.end();
    const refused = await send(keep);
    if (refused !== undefined) return refused;
    crc.update(footer, 0, versionBytes);
    const sum = Buffer.alloc(8);
    crc.writeTo(sum, 0);
    // What modules keep of the key is in the sum, too, and was passed over.
    if (head.before === 0 && !sum.equals(footer.subarray(versionBytes)))
      return { reason: 'what the source gave does not match its checksum' };
    return (
      (await send(
        ['MULTI'],
        expiry === null ? ['PERSIST', name] : ['PEXPIRE', name, String(leftMs(expiry))],
        ['UNLINK', key],
        ['RENAME', name, key],
        ['EXEC'],
      )) ?? null
    );
  } catch (error) {
    if (errorCode(error) !== 'STREAM_CANT_CARRY' && !String(errorCode(error)).startsWith('RDB_')) throw error;
    return { reason: errorText(error) };
  } finally {
    if (!link.closed) await link.exchange([pack([['UNLINK', name.toString()]])], 1);
  }
}

/** @returns what was refused first; undefined when nothing was. */
export function firstRefusal(replies: readonly Reply[]): ReplyError | { reason: string } | undefined {
  // Of all that is sent only XCLAIM answers so: it has claimed nothing.
  if (replies.some((reply) => Array.isArray(reply) && reply.length === 0)) return { reason: unclaimed };
  const all = replies.flatMap((reply) => (Array.isArray(reply) ? reply : [reply]));
  // What EXEC says of a transaction that was not queued is said before, and better.
  return all.find((reply) => reply instanceof ReplyError) as ReplyError | undefined;
}
