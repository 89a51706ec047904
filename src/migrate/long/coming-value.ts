/**
 * A value that is too long to be held, as a server gives it: a string by GET, which costs the server a copy, and everything
 * else by DUMP. It is whole, as it was at one moment, however long it takes to come.
 */
import type { ConnectionOptions } from '../../redis/connection.ts';
import { LongReplies } from '../../redis/long-reply.ts';
import { ReplyError } from '../../resp/read.ts';
import { type Expiry, expiryIn } from '../expiry.ts';
import { answerWithinMs } from '../wire.ts';

export interface ComingValue {
  /** A string as it is; or of whatever there is, what DUMP gives. */
  as: 'text' | 'payload';
  /** As TYPE says it; empty where the server does not tell. */
  type: string;
  expiry: Expiry;
  bytes: number;
  /** Can be read once. A piece is valid until the next is asked for. */
  pieces: AsyncGenerator<Buffer>;
  /** Ends it. Whoever opened it calls this, however far it was read. */
  close(): void;
}

/**
 * @param isAsking it is on the way to this node of a Redis Cluster
 * @returns null when there is no such key; what the server says where it refuses.
 * @throws REDIS_UNREACHABLE, REDIS_REFUSED
 */
export async function openValue(
  options: ConnectionOptions,
  db: number,
  key: Buffer,
  isAsking = false,
): Promise<ComingValue | ReplyError | null> {
  const replies = await LongReplies.open(options, answerWithinMs);
  try {
    const value = await askFor(replies, db, key, isAsking);
    if (value === null || value instanceof ReplyError) replies.close();
    return value;
  } catch (error) {
    replies.close();
    throw error;
  }
}

async function askFor(
  replies: LongReplies,
  db: number,
  key: Buffer,
  isAsking: boolean,
): Promise<ComingValue | ReplyError | null> {
  const asking: ['ASKING'][] = isAsking ? [['ASKING']] : [];
  const answers = await replies.lines(['SELECT', String(db)], ...asking, ['TYPE', key], ...asking, [
    'PTTL',
    key,
  ]);
  const [type = '', ttl = ''] = isAsking ? [answers[2], answers[4]] : answers.slice(1);
  // A Redis Cluster has one database and refuses even to select it on some services.
  if (db !== 0 && answers[0] instanceof ReplyError) return answers[0];
  if (type === 'none') return null;
  if (ttl instanceof ReplyError) return ttl;
  const expiry = expiryIn(Number(ttl));
  // Whoever may DUMP may not always GET; and it may have become another type since.
  for (const as of type === 'string' ? (['text', 'payload'] as const) : (['payload'] as const)) {
    await replies.lines(...asking);
    const bulk = await replies.bulk(as === 'text' ? 'GET' : 'DUMP', key);
    if (bulk === null) return null;
    if (bulk instanceof ReplyError) {
      if (as === 'text') continue;
      return bulk;
    }
    const isKnown = !(type instanceof ReplyError);
    return { as, type: isKnown ? type : '', expiry, ...bulk, close: () => replies.close() };
  }
  return null;
}
