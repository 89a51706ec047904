import { Buffer } from 'node:buffer';
import { DOLLAR, findCr, MINUS, readLength } from '../../resp/bytes.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Client } from './client.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { besideABuffer } from './kept-bytes.ts';
import { refusalOfOwnWords } from './own-words.ts';
import { answerUncertain } from './replay.ts';

/**
 * A request that is longer than what a client may have in the gate. Its command is known before anything of it goes
 * anywhere:
 *
 * - What leaves no state on its connection gets a connection of its own and goes there as it comes, no faster than the
 *   server takes it, so its length costs no memory. It can't be sent again: when the primary changes before it was
 *   answered, the answer is UNCERTAIN, and a refusal is passed on.
 * - What is refused here is read to its end and goes nowhere.
 * - Everything else (a long WATCH, SUBSCRIBE, CLIENT TRACKING) is kept until it is whole, up to `keptBytes`; then it is the client's next.
 */
export function wayOfLong(client: Client): 'pass' | 'wait' | 'keep' | Buffer {
  const { requests, router } = client;
  const { frame, buf } = requests;
  // A name that is not whole by now is no command's.
  const named = frame.left >= 0 && frame.left < frame.count;
  const command = named ? router.table.commandOf(buf, frame) : router.table.unknown;
  const refusal = router.refuses ? router.refuse(client, command) : null;
  if (refusal !== null) return refusal;
  const tooLong = refusalOfOwnWords(command, requests.size);
  if (tooLong !== null) return tooLong;
  if (command.behaviour.kind !== 'plain') return 'keep';
  const passes = router.routes?.passes(client, command) ?? 'yes';
  return passes === 'yes' ? 'pass' : passes;
}

/** A request that has to be kept whole may be this long. */
const keptBytes = 64 * 1024 * 1024;
const tooLong = 'Protocol error: the request is too long to be kept';

export class LongRequest {
  /** null: it goes nowhere, or not yet. */
  readonly #upstream: Upstream | null;
  readonly #onDrained: () => void;
  readonly #bulkBytes: number;
  /** Bytes that pass without a look: the rest of a bulk string, with its line end. */
  #skip: number;
  /** Elements that come after it. */
  #left: number;
  /** The beginning of an element's header that came in pieces. */
  #header: Buffer = Buffer.alloc(0);
  #stalled = false;
  #failed = '';
  #refusal: Buffer | null = null;
  #kept: GrowingBytes | null = null;

  /** Takes what is there of the client's request, and sends nothing of it. */
  static refuse(client: Client, refusal: Buffer): LongRequest {
    const long = new LongRequest(null, client.router.requestLimits.bulkBytes, () => {});
    long.#refusal = refusal;
    long.#takeFrom(client);
    return long;
  }

  /** Keeps what is there of the client's request, and what comes of it: see `whole` and `take`. */
  static keep(client: Client): LongRequest {
    const { requests, router } = client;
    const { count } = requests.frame;
    const long = new LongRequest(null, router.requestLimits.bulkBytes, () => {});
    const most = keptBytes - Math.max(0, count) * besideABuffer;
    // What says that it will be too long is told so before it has come.
    if (Math.max(requests.size, requests.announced) > most) long.#failed = tooLong;
    else {
      long.#kept = new GrowingBytes(most);
      long.#takeFrom(client);
    }
    return long;
  }

  /** Sends what is there of the client's request; null when there is no connection for it yet. */
  static start(client: Client, onDrained: () => void): LongRequest | null {
    const { requests, router } = client;
    const { buf, pos } = requests;
    const upstream = router.route(client, true, true);
    if (upstream === null) return null;
    const { transaction } = client.session;
    const multi = transaction.open;
    const long = new LongRequest(upstream, router.requestLimits.bulkBytes, onDrained);
    upstream.send(client, buf, pos, pos, 1, true, {
      get partial() {
        return !long.whole;
      },
      onReply: (reply, start, stop) => {
        if (multi && reply[start] === MINUS) transaction.onRefused();
        else if (multi) transaction.onQueued(null, false, 0);
        client.deliver(reply, start, stop);
        return true;
      },
      proves: () => true,
      onLost: () => {
        if (multi) transaction.spoil();
        answerUncertain(client);
      },
    });
    router.copies?.skip(client, 1);
    long.#takeFrom(client);
    return long;
  }

  /** Goes on where framing stopped, in the middle of the request. */
  #takeFrom({ requests }: Client): void {
    const { frame, buf, pos, end } = requests;
    const at = frame.resumeAt;
    const cr = frame.pendingBulk > 0 ? findCr(buf, at, end) : -1;
    if (cr >= 0) {
      this.#skip = cr + 2 + frame.pendingBulk + 2 - end;
      this.#left = frame.left - 1;
    } else {
      this.#left = frame.left;
      this.#header = Buffer.from(buf.subarray(at, end));
    }
    this.#write(buf.subarray(pos, cr >= 0 ? end : at));
    requests.clear();
  }

  private constructor(upstream: Upstream | null, bulkBytes: number, onDrained: () => void) {
    this.#upstream = upstream;
    this.#bulkBytes = bulkBytes;
    this.#onDrained = onDrained;
    this.#skip = 0;
    this.#left = 0;
  }

  /** The server is slower than the client. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** A server gets it as it comes. */
  get reaches(): boolean {
    return this.#upstream?.closed === false;
  }

  get failed(): string {
    return this.#failed;
  }

  /** What it is answered when it is whole, without having been sent. */
  get refusal(): Buffer | null {
    return this.#refusal;
  }

  get whole(): boolean {
    return this.#skip === 0 && this.#left === 0;
  }

  /** It goes nowhere before it is whole. */
  get keeps(): boolean {
    return this.#kept !== null;
  }

  /** Bytes of it that are kept here. */
  get heldBytes(): number {
    return this.#kept?.size ?? 0;
  }

  /** A request that was kept, once it is whole; null for any other. */
  take(): Buffer | null {
    return this.#kept?.take() ?? null;
  }

  /** Passes on what belongs to the request and returns how many bytes of the chunk that were. */
  pass(chunk: Buffer): number {
    const known = this.#header.length;
    const bytes = known > 0 ? Buffer.concat([this.#header, chunk]) : chunk;
    this.#header = Buffer.alloc(0);
    let pos = 0;
    while (!this.whole && pos < bytes.length) {
      const taken = Math.min(this.#skip, bytes.length - pos);
      pos += taken;
      this.#skip -= taken;
      if (this.#skip > 0 || this.#left === 0) break;
      const cr = findCr(bytes, pos, bytes.length);
      if (cr < 0 || cr + 1 >= bytes.length) {
        if (pos < bytes.length && bytes[pos] !== DOLLAR) return this.#fail(bytes, pos);
        this.#header = Buffer.from(bytes.subarray(pos));
        if (this.#header.length > 64) return this.#fail(bytes, pos);
        this.#write(bytes.subarray(0, pos));
        return chunk.length;
      }
      const length = bytes[pos] === DOLLAR ? readLength(bytes, pos + 1, cr) : undefined;
      if (length === undefined || length < 0 || length > this.#bulkBytes) return this.#fail(bytes, pos);
      pos = cr + 2;
      this.#skip = length + 2;
      this.#left--;
    }
    this.#write(bytes.subarray(0, pos));
    return pos - known;
  }

  /** The client is gone: half a request can't be ended, so its connection ends. */
  abandon(): void {
    this.#kept?.clear();
    if (!this.whole) this.#upstream?.destroy('its client left in the middle of a request');
  }

  #fail(bytes: Buffer, pos: number): number {
    const byte = String.fromCharCode(bytes[pos] as number);
    this.#failed =
      bytes[pos] === DOLLAR
        ? 'Protocol error: invalid bulk length'
        : `Protocol error: expected '$', got '${byte}'`;
    this.#upstream?.destroy('its client sent what is not RESP');
    return bytes.length;
  }

  /** @param bytes are there until this returns */
  #write(bytes: Buffer): void {
    if (this.#kept?.add(bytes) === false) this.#failed = tooLong;
    if (bytes.length === 0 || this.#upstream === null) return;
    const taken = this.#upstream.passage.pass(Buffer.from(bytes), () => {
      this.#stalled = false;
      this.#onDrained();
    });
    if (!taken) this.#stalled = true;
  }
}
