/**
 * Writes to a target, each batch exactly once.
 *
 * One batch goes out at a time, as one transaction, which also sets the position that it leads to; behind it, in the
 * same write, the position is watched and read again:
 *
 *     MULTI … SET holdfast:stream:{id} <position> EXEC   WATCH holdfast:stream:{id}   GET holdfast:stream:{id}
 *
 * - A batch is executed only if nothing has touched the position since it was read. What an earlier connection, of this
 *   process or of one that was killed, still has under way is either there before we read the position, or changes it
 *   behind our WATCH so that our batch is not executed, or comes later and fails by its own WATCH.
 * - A batch whose answer is lost is neither repeated nor passed over: the next connection reads which of the two it was.
 * - Where the target loses what it had acknowledged, as a failover may, it loses the position with it, and the source is
 *   asked again from there.
 *
 * While one batch is under way the next is assembled, so that the wait costs little.
 */
import { constants } from 'node:buffer';
import { type Credentials, describeEndpoint, type Endpoint, type TlsMaterial } from '../redis/endpoint.ts';
import { refusalReply } from '../redis/errors.ts';
import { Link } from '../redis/link.ts';
import { type Reply, ReplyError } from '../resp/read.ts';
import { writeRequest } from '../resp/write.ts';
import { StreamDiverged, StreamPositionMoved, StreamTargetRefuses } from './errors.ts';
import { isPassingRefusal, passes } from './passing-refusals.ts';
import { decodePosition, encodePosition, type Position, positionKey } from './position.ts';
import { usualLongestArgument } from './too-long.ts';

export interface TargetPlace {
  endpoint: Endpoint;
  credentials?: Credentials | undefined;
  clientName?: string | undefined;
  tls?: TlsMaterial | undefined;
}

/** Commands as they are sent, beginning in database 0. */
export interface Written {
  pieces: readonly Uint8Array[];
  commands: number;
  /** The database that is selected behind them. */
  db: number;
}

/** A command that is handed over in pieces. */
export interface LongWrite {
  /** Returns when the memory may be used again. @throws REDIS_UNREACHABLE */
  push(piece: Buffer): Promise<void>;
  /** What it answered. @throws as `apply` */
  end(position: Position): Promise<Reply>;
}

/** Bytes a ms that a target takes at least. */
const slowestPerMs = 500;
/** A large value takes a server so long. */
const answerWithinMs = 120_000;
const connectWithinMs = 5000;
const multi = writeRequest(['MULTI']);
const exec = writeRequest(['EXEC']);
const selectFirst = writeRequest(['SELECT', '0']);
export class TargetWriter {
  readonly #link: Link;
  readonly #where: string;
  readonly #key: string;
  readonly #look: Buffer;
  #text: string | null = null;

  private constructor(place: TargetPlace, id: string) {
    this.#where = describeEndpoint(place.endpoint);
    this.#key = positionKey(id);
    this.#look = Buffer.concat([writeRequest(['WATCH', this.#key]), writeRequest(['GET', this.#key])]);
    this.#link = new Link({
      ...place,
      timeoutMs: answerWithinMs,
      connectMs: connectWithinMs,
      maxReplyBytes: constants.MAX_LENGTH,
    });
  }

  /** Connects, and reads the position. @throws REDIS_UNREACHABLE, REDIS_REFUSED, STREAM_TARGET_REFUSES */
  static async open(place: TargetPlace, id: string): Promise<TargetWriter> {
    const made = new TargetWriter(place, id);
    try {
      await made.#link.ready;
      made.#seen(await made.#link.exchange([made.#look], 2));
      return made;
    } catch (error) {
      made.close();
      throw translated(error);
    }
  }

  /** What the target says of itself and of others, on the same connection. @throws as `Link.call` */
  get link(): Link {
    return this.#link;
  }

  get where(): string {
    return this.#where;
  }

  /** Where the stream stands in the target; null when it has not begun. @throws STREAM_POSITION_UNREADABLE */
  get position(): Position | null {
    return decodePosition(this.#text, this.#key);
  }

  /**
   * Bytes of the longest argument that the target takes; what servers take by default where it does not say. @throws
   * REDIS_UNREACHABLE
   */
  async longestArgument(): Promise<number> {
    const reply = await this.#link.call(['CONFIG', 'GET', 'proto-max-bulk-len']).catch((error: unknown) => {
      if (refusalReply(error) === undefined) throw error;
      return null;
    });
    const bytes = Array.isArray(reply) ? Number(reply[1]) : 0;
    return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : usualLongestArgument;
  }

  /**
   * Applies them in one transaction.
   * @param position set in it; undefined leaves it as it is
   * @returns what EXEC answered to each of the commands, errors among them.
   * @throws STREAM_POSITION_MOVED; STREAM_TARGET_REFUSES when it may be tried again; STREAM_DIVERGED; REDIS_UNREACHABLE.
   * Only behind REDIS_UNREACHABLE it may have been executed.
   */
  async apply(written: Written | null, position: Position | undefined): Promise<Reply[]> {
    const pieces: Uint8Array[] = [multi];
    let queued = 0;
    if (written !== null && written.commands > 0) {
      pieces.push(...written.pieces);
      queued += written.commands;
      if (written.db !== 0) {
        pieces.push(selectFirst);
        queued++;
      }
    }
    const text = position === undefined ? this.#text : encodePosition(position);
    if (position !== undefined) {
      pieces.push(writeRequest(['SET', this.#key, text as string]));
      queued++;
    }
    pieces.push(exec, this.#look);
    const replies = await this.#link.exchange(pieces, queued + 4, { queued });
    const results = this.#executed(replies.at(-3) as Reply, replies.slice(0, -3));
    this.#seen(replies.slice(-2));
    if (this.#text !== text) throw this.#moved();
    return results.slice(0, written?.commands ?? 0);
  }

  /**
   * Begins a transaction of one command that is handed over as it comes. If `end` is not called, nothing of it is executed.
   * @param bytes about how many will come
   */
  beginLong(db: number, bytes: number): LongWrite {
    const select = db === 0 ? [] : [writeRequest(['SELECT', String(db)])];
    const queued = 2 + select.length * 2;
    const { push, replies } = this.#link.open(queued + 4, {
      timeoutMs: answerWithinMs + bytes / slowestPerMs,
    });
    let head: Uint8Array[] = [multi, ...select];
    return {
      push: async (piece) => {
        for (const each of head) await push(each);
        head = [];
        await push(piece);
      },
      end: async (position) => {
        const text = encodePosition(position);
        const back = db === 0 ? [] : [selectFirst];
        await push(Buffer.concat([...back, writeRequest(['SET', this.#key, text]), exec, this.#look]));
        const all = await replies;
        const results = this.#executed(all[queued + 1] as Reply, all.slice(0, queued + 1));
        this.#seen(all.slice(queued + 2));
        if (this.#text !== text) throw this.#moved();
        return results[select.length] as Reply;
      },
    };
  }

  close(): void {
    this.#link.close();
  }

  #executed(outcome: Reply, before: Reply[]): Reply[] {
    if (Array.isArray(outcome)) return outcome;
    // The position is watched anew behind it, unread: another batch on this connection would be let in whatever it is.
    this.close();
    if (outcome === null) throw this.#moved();
    // The first that was not queued says why nothing was executed.
    const why = before.find((reply) => reply instanceof ReplyError) ?? outcome;
    const text = why instanceof ReplyError ? why.text : String(why);
    if (why instanceof ReplyError && passes(why.kind)) throw refusesForNow(this.#where, text);
    throw StreamDiverged(`${this.#where} does not take what the source has executed: ${text}`, {
      hint: 'Nothing of that batch was executed. A target of at least the source’s version, and a user who may run all its commands, takes it.',
    });
  }

  #seen([watched, text]: Reply[]): void {
    for (const reply of [watched, text]) {
      if (!(reply instanceof ReplyError)) continue;
      if (passes(reply.kind)) throw refusesForNow(this.#where, reply.text);
      throw StreamTargetRefuses(`${this.#where} does not show the position of the stream: ${reply.text}`, {
        hint: `The user needs the rights to WATCH, GET and SET ${this.#key}, and to MULTI and EXEC.`,
      });
    }
    this.#text = typeof text === 'string' ? text : null;
  }

  #moved(): Error {
    this.close();
    return StreamPositionMoved(`the position at ${this.#where} was changed by somebody else`, {
      hint: `Another process may run the same stream: ${this.#key} belongs to one.`,
    });
  }
}

function refusesForNow(where: string, text: string): Error {
  return StreamTargetRefuses(`${where} takes nothing for now: ${text}`, {
    hint: 'It is tried again. Nothing is lost: the source is read on from where the target stands.',
  });
}

function translated(error: unknown): unknown {
  if (!isPassingRefusal(error)) return error;
  return StreamTargetRefuses(`the target takes nothing for now: ${refusalReply(error)?.text}`, {
    cause: error,
  });
}
