/**
 * Where a server's history stands at a moment: the exact offset, and the database that is selected in its stream there.
 *
 * INFO tells an offset, but a primary names a database only when it changes, so that nobody could go on from there. So a mark is
 * written into database 0, and the stream is read up to it: whoever goes on behind the mark is in database 0.
 *
 * A server that never had a replica keeps no backlog. Our first request is answered with everything then, which we do not take;
 * the backlog is kept from that request on.
 *
 * Source: replication.c (syncCommand, replicationFeedSlaves) of Redis 6.2 to 8.6.
 */
import { onAbort } from '../base/abort.ts';
import { askReplication } from '../redis/ask-replication.ts';
import { RedisConnection } from '../redis/connection.ts';
import { CommandFramer } from './command-framer.ts';
import { StreamPlaceLost } from './errors.ts';
import type { Place } from './position.ts';
import { findSource, type SourceAddress } from './source-address.ts';
import { type SourcePlace, SourceReader } from './source-reader.ts';

export interface Mark {
  key: string;
  /** Not used for any other mark. */
  value: string;
  /** Writes it into database 0. */
  write(): Promise<void>;
}

const askMs = 5000;
const attempts = 2;

/**
 * The place behind the mark, which it writes.
 * @throws STREAM_PLACE_LOST when the server does not give what it has just written; REPLICATION_REFUSED, REPLICATION_BROKEN,
 * REDIS_UNREACHABLE, what `write` throws, and the signal's reason.
 */
export async function markedPlace(source: SourceAddress, mark: Mark, signal: AbortSignal): Promise<Place> {
  const found = await findSource(source);
  for (let attempt = 1; ; attempt++) {
    const before = await placeNow(found);
    await mark.write();
    const reader = await SourceReader.open(found, before, signal);
    const stopListening = onAbort(signal, () => reader.fail(signal.reason));
    try {
      if (reader.snapshot === undefined) return await behindMark(reader, mark);
    } finally {
      stopListening();
      reader.close();
    }
    if (attempt < attempts) continue;
    throw StreamPlaceLost(
      `${found.address}:${found.port} does not give what it has written a moment ago: it keeps no backlog`,
      { hint: 'Set repl-backlog-size there to more than is written in a minute.' },
    );
  }
}

async function placeNow({ address: host, port, credentials, tls }: SourcePlace): Promise<Place> {
  const connection = new RedisConnection({ endpoint: { host, port }, credentials, tls, timeoutMs: askMs });
  try {
    const { replId, offset } = await askReplication(connection);
    return { replId, offset, db: 0 };
  } finally {
    connection.close();
  }
}

async function behindMark(reader: SourceReader, { key, value }: Mark): Promise<Place> {
  const { replId, offset: from } = reader.place;
  const framer = new CommandFramer();
  let offset = from;
  for await (const chunk of reader.commands()) {
    framer.add(chunk);
    while (framer.next()) {
      offset += framer.bytes;
      const isMark = framer.name === 'set' && isSetOf(framer.args(), key, value);
      framer.done();
      if (isMark) return { replId, offset, db: 0 };
    }
    framer.keepRest();
  }
  throw new TypeError('a primary’s stream has no end of its own');
}

function isSetOf([, key, value]: readonly Buffer[], wantedKey: string, wantedValue: string): boolean {
  return key?.toString() === wantedKey && value?.toString() === wantedValue;
}
