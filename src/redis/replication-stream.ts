/**
 * A snapshot of a server over the replication protocol, as a replica would be given it: consistent, at a known place
 * in the stream, without a shell on the host and without a file on it where the server sends diskless.
 *
 * 1. AUTH; then REPLCONF capa eof psync2, so that the server may send while it saves.
 * 2. REPLCONF rdb-only 1 (Redis 6.2 and later): no writes are buffered for us, we never become an online replica, and
 *    so `min-replicas-to-write`, WAIT and ROLE do not count us. Older servers refuse it, and are told nothing.
 * 3. REPLCONF version 9.0.0 (Valkey 8 and later know it): what we read is at least what a replica of that release
 *    reads. A Valkey 9 that was not told writes for 7.2, and fails when a field of a hash has an expiry, which 7.2 has
 *    not. It must be no higher than the newest release whose form is known here, or the server may send a newer one.
 *    Other servers refuse it, and write the one form that they have.
 * 4. REPLCONF listening-port 65536. INFO of the server lists us while it sends, and Sentinels take every replica that
 *    the primary lists into their books for good. They refuse one whose port cannot be.
 * 5. PSYNC ? -1; the answer is +FULLRESYNC with the replication id and the offset. While the server saves it sends line
 *    feeds; then `$<length>` or `$EOF:<mark>`, and the RDB.
 *
 * Reading is pulled: whoever is slow makes the server wait, which it does for `repl-timeout` (60 s), and no memory grows.
 *
 * Source: replication.c (syncCommand, replconfCommand, replicaPutOnline) and sentinel.c (createSentinelAddr) of Redis
 * 6.2 to 8.6; replication.c (replicaRdbVersion) of Valkey 9.1.
 */
import { writeRequest } from '../resp/write.ts';
import type { Credentials, TlsTexts } from './endpoint.ts';
import { ReplicationBroken, ReplicationRefused } from './errors.ts';
import { type BodyEnd, snapshotBody } from './snapshot-body.ts';
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

const unlistedPort = 65_536;
/** The release that brought the newest RDB version of Valkey that is read here, 80. */
const readsLike = '9.0.0';

/**
 * Connects and asks; returns when the server has begun to send.
 * @throws REPLICATION_REFUSED for what the server answers, REPLICATION_BROKEN when the connection fails, then or while
 * the data is read; the signal's reason when it is aborted.
 */
export async function openSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const where = `${options.address}:${options.port}`;
  options.signal?.throwIfAborted();
  const reader = new SocketReader(options, options.silenceMs ?? 60_000, (reason) =>
    ReplicationBroken(`the snapshot from ${where} broke off: ${reason}`, {
      hint: `The log of the server at ${where} says why it closed the connection; the next try starts anew.`,
    }),
  );
  const abort = () => reader.fail(options.signal?.reason);
  options.signal?.addEventListener('abort', abort, { once: true });
  const close = () => {
    options.signal?.removeEventListener('abort', abort);
    reader.socket.destroy();
  };
  try {
    const { replicationId, replicationOffset } = await shakeHands(reader, options, where);
    const end = await bodyEnd(reader, where);
    return {
      replicationId,
      replicationOffset,
      bytes: 'length' in end ? end.length : undefined,
      data: snapshotBody(reader.arrivals(), end),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function shakeHands(
  reader: SocketReader,
  { credentials }: SnapshotOptions,
  where: string,
): Promise<{ replicationId: string; replicationOffset: number }> {
  const ask = async (...args: string[]) => {
    reader.socket.write(writeRequest(args));
    return await answer(reader);
  };
  if (credentials) expectOk(await ask('AUTH', credentials.username, credentials.password), 'AUTH', where);
  expectOk(await ask('REPLCONF', 'listening-port', `${unlistedPort}`), 'REPLCONF', where);
  expectOk(await ask('REPLCONF', 'capa', 'eof', 'capa', 'psync2'), 'REPLCONF', where);
  await ask('REPLCONF', 'version', readsLike);
  await ask('REPLCONF', 'rdb-only', '1');
  const reply = await ask('PSYNC', '?', '-1');
  const full = /^\+FULLRESYNC ([0-9a-f]{40}) (\d+)$/.exec(reply);
  if (!full) throw refused(reply, 'PSYNC', where);
  return { replicationId: full[1] as string, replicationOffset: Number(full[2]) };
}

/** The next line that says something: line feeds alone only mean that the server is still there. */
async function answer(reader: SocketReader): Promise<string> {
  for (;;) {
    const line = await reader.line();
    if (line !== '') return line;
  }
}

async function bodyEnd(reader: SocketReader, where: string): Promise<BodyEnd> {
  const line = await answer(reader);
  const eof = /^\$EOF:(.{40})$/.exec(line);
  if (eof) return { mark: Buffer.from(eof[1] as string, 'latin1') };
  const length = /^\$(\d+)$/.exec(line);
  if (length) return { length: Number(length[1]) };
  throw refused(line, 'PSYNC', where);
}

function expectOk(reply: string, command: string, where: string): void {
  if (!reply.startsWith('+')) throw refused(reply, command, where);
}

const hints: [RegExp, string][] = [
  [
    /^-(NOPERM|NOAUTH|WRONGPASS|ERR invalid password|ERR .*without any password)/,
    'The user holdfast-backup must be in the server’s ACL file with this deployment’s password; restart the member, or holdfast up, to load it.',
  ],
  [/^-LOADING/, 'The server is still loading its data; wait until holdfast status shows it up.'],
  [/^-NOMASTERLINK/, 'This replica has lost its primary; wait until its link is up, or take another member.'],
  [/^-ERR unknown command/, 'The server renames or disables PSYNC or REPLCONF; a backup needs both.'],
];

function refused(reply: string, command: string, where: string): Error {
  const text = reply.replace(/^[-+]/, '').slice(0, 200);
  const hint = hints.find(([pattern]) => pattern.test(reply))?.[1] ?? 'The log of the server may say more.';
  return ReplicationRefused(`${where} answered ${command} with: ${text}`, { hint });
}
