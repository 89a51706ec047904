/**
 * A snapshot of a server over the replication protocol, as a replica would be given it: consistent, at a known place
 * in the stream, without a shell on the host and without a file on it where the server sends diskless.
 *
 * - The replica introduces itself (replication-handshake.ts).
 * - REPLCONF rdb-only 1 (Redis 6.2 and later): no writes are buffered for us, we never become an online replica, and
 *   so `min-replicas-to-write`, WAIT and ROLE do not count us. Older servers refuse it, and are told nothing.
 * - PSYNC ? -1; the answer is +FULLRESYNC with the replication id and the offset, and then comes the RDB.
 *
 * Reading is pulled: whoever is slow makes the server wait, which it does for `repl-timeout` (60 s), and no memory grows.
 *
 * Source: replication.c (syncCommand, replconfCommand, replicaPutOnline) of Redis 6.2 to 8.6.
 */
import { onAbort } from '../base/abort.ts';
import type { Credentials, TlsTexts } from './endpoint.ts';
import { ReplicationBroken } from './errors.ts';
import { ReplicationDialogue } from './replication-handshake.ts';
import { snapshotBody } from './snapshot-body.ts';
import { SocketReader } from './socket-reader.ts';

export interface SnapshotOptions {
  address: string;
  port: number;
  credentials?: Credentials | undefined;
  tls?: TlsTexts | undefined;
  /** Longest silence of the server, in ms; 60 000 unless given. It sends a line feed every second while it saves. */
  silenceMs?: number;
  signal?: AbortSignal | undefined;
}

export interface Snapshot {
  replicationId: string;
  /** Bytes of the replication stream that the snapshot includes. */
  replicationOffset: number;
  /** How many bytes will come; undefined when the server sends while it saves. */
  bytes: number | undefined;
  /** Can be read once. Ends when all of it has come; a piece is valid until the one after the next is asked for. */
  data: AsyncIterable<Buffer>;
  /** Ends the connection. */
  close(): void;
}

const accessHint =
  'The user holdfast-backup must be in the server’s ACL file with this deployment’s password; restart the member, or holdfast up, to load it.';

/**
 * Connects and asks; returns when the server has begun to send.
 * @throws REPLICATION_REFUSED for what the server answers, REPLICATION_BROKEN when the connection fails, then or while
 * the data is read; the signal's reason when it is aborted.
 */
export async function openSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const where = `${options.address}:${options.port}`;
  options.signal?.throwIfAborted();
  const place = { endpoint: { host: options.address, port: options.port }, tls: options.tls };
  const reader = new SocketReader(place, options.silenceMs ?? 60_000, (reason) =>
    ReplicationBroken(`the snapshot from ${where} broke off: ${reason}`, {
      hint: `The log of the server at ${where} says why it closed the connection; the next try starts anew.`,
    }),
  );
  const stopListening = onAbort(options.signal, () => reader.fail(options.signal?.reason));
  const close = () => {
    stopListening();
    reader.socket.destroy();
  };
  try {
    const dialogue = new ReplicationDialogue(reader, { where, accessHint });
    await dialogue.introduce(options.credentials);
    await dialogue.ask('REPLCONF', 'rdb-only', '1');
    const reply = await dialogue.ask('PSYNC', '?', '-1');
    const full = /^\+FULLRESYNC ([0-9a-f]{40}) (\d+)$/.exec(reply);
    if (!full) throw dialogue.refused(reply, 'PSYNC');
    const end = await dialogue.bodyEnd();
    return {
      replicationId: full[1] as string,
      replicationOffset: Number(full[2]),
      bytes: 'length' in end ? end.length : undefined,
      data: snapshotBody(reader.arrivals(), end),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
