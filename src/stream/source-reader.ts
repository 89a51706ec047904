/**
 * Reads a primary as a replica does: what follows a place in its history, or everything and then what follows. We are
 * never anybody's to promote: see redis/replication-handshake.ts.
 *
 * The source hears every second how far we are (REPLCONF ACK), without which it hangs up after `repl-timeout`; and behind
 * an RDB sent without a file it sends no command before it has heard that once.
 */
import { onAbort } from '../base/abort.ts';
import type { Address, Credentials, TlsMaterial } from '../redis/endpoint.ts';
import { ReplicationBroken } from '../redis/errors.ts';
import { ReplicationDialogue } from '../redis/replication-handshake.ts';
import { snapshotBody } from '../redis/snapshot-body.ts';
import { SocketReader } from '../redis/socket-reader.ts';
import { writeRequest } from '../resp/write.ts';
import { StreamSourceNotReady } from './errors.ts';
import type { Feed, Snapshot } from './feed.ts';
import type { Place } from './position.ts';
import { psyncRequest, readPsyncAnswer } from './psync.ts';

export interface SourcePlace {
  address: string;
  port: number;
  credentials?: Credentials | undefined;
  tls?: TlsMaterial | undefined;
  /** The member that it is read for, by which the source lists us; undefined for nobody. */
  readsFor?: Address | undefined;
}

const silenceMs = 60_000;

export class SourceReader implements Feed {
  /** Behind which the commands come. */
  readonly place: Place;
  /** Undefined when it goes on from where we were. */
  readonly snapshot: Snapshot | undefined;
  readonly #reader: SocketReader;

  private constructor(reader: SocketReader, place: Place, snapshot: Snapshot | undefined) {
    this.#reader = reader;
    this.place = place;
    this.snapshot = snapshot;
  }

  /**
   * @param place where to go on; null for everything.
   * @throws REPLICATION_REFUSED, REPLICATION_BROKEN; STREAM_SOURCE_NOT_READY when it may be asked again.
   */
  static async open(source: SourcePlace, place: Place | null, signal: AbortSignal): Promise<SourceReader> {
    const where = `${source.address}:${source.port}`;
    const endpoint = { host: source.address, port: source.port };
    const reader = new SocketReader({ endpoint, tls: source.tls }, silenceMs, (reason) =>
      ReplicationBroken(`the stream of ${where} broke off: ${reason}`, {
        hint: `The log of the server at ${where} says why it closed the connection; it is asked again from the same place.`,
      }),
    );
    const stopListening = onAbort(signal, () => reader.fail(signal.reason));
    try {
      const accessHint =
        'The user needs the rights to PSYNC, REPLCONF and PING: +psync +replconf +ping, or +@all.';
      const dialogue = new ReplicationDialogue(reader, { where, accessHint, readsFor: source.readsFor });
      await dialogue.introduce(source.credentials);
      const reply = await dialogue.ask(...psyncRequest(place));
      const answer = readPsyncAnswer(reply, place);
      if (answer.kind === 'refused') {
        const cause = dialogue.refused(reply, 'PSYNC');
        throw answer.isForNow ? StreamSourceNotReady(cause.message, { cause }) : cause;
      }
      if (answer.kind === 'goes-on') return new SourceReader(reader, answer.place, undefined);
      const end = await dialogue.bodyEnd();
      const bytes = 'length' in end ? end.length : undefined;
      const data = snapshotBody(reader.arrivals(), end, (rest) => reader.unread(rest));
      return new SourceReader(reader, answer.place, { bytes, data });
    } catch (error) {
      reader.socket.destroy();
      throw error;
    } finally {
      stopListening();
    }
  }

  /** What comes behind `place`, without an end of its own. A piece is valid until the next is asked for. */
  commands(): AsyncGenerator<Buffer> {
    return this.#reader.arrivals();
  }

  /** Its length is known to whoever reads it. */
  snapshotEnded(): void {}

  /** Says how far everything is applied. */
  acknowledge(offset: number): void {
    if (!this.#reader.socket.destroyed)
      this.#reader.socket.write(writeRequest(['REPLCONF', 'ACK', String(offset)]));
  }

  /** Ends it: whoever reads gets this error. */
  fail(error: unknown): void {
    this.#reader.fail(error);
  }

  close(): void {
    this.#reader.socket.destroy();
  }
}
