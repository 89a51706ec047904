/**
 * One connection to one Redis or Sentinel, which is opened at once and ends for good when it breaks. It is the only
 * client of RESP that holdfast has; `RedisConnection` opens one after the other of these.
 *
 * - Commands go out when they are asked for, also before the login was answered: answers come in the same order. A
 *   login that is refused ends the connection, so that nothing is taken for an answer that came from a stranger.
 * - A command without an answer within its time ends the connection. Nobody could tell afterwards which command a late
 *   answer belongs to; and a network that swallows everything would let TCP go on trying for minutes.
 * - Push messages (RESP3) answer nothing, but for the confirmation of a subscription, which answers the command that
 *   asked for it. A command subscribes to one name at a time.
 * - What is sent to us is bounded, and anything that is no RESP, or that nobody asked for, ends the connection.
 *
 * Source: the RESP3 specification (redis/redis-specifications, protocol/RESP3.md).
 */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { errorCode, errorText } from '../base/errors.ts';
import { Push, type Reply, ReplyError } from '../resp/read.ts';
import { ReplyReader } from '../resp/reply-reader.ts';
import { writeRequest } from '../resp/write.ts';
import {
  type Credentials,
  describeEndpoint,
  type Endpoint,
  isForTls,
  type TlsMaterial,
  wayTo,
} from './endpoint.ts';
import { RedisRefused, RedisUnreachable } from './errors.ts';
import { refusedLogin } from './login-refusal.ts';
import { abandonSocket, openSocket } from './open-socket.ts';

export interface LinkOptions {
  endpoint: Endpoint;
  credentials?: Credentials | undefined;
  /** What the server is to call it; nothing unless given. One that may not be told goes without. */
  clientName?: string | undefined;
  /** To speak TLS; not for a server's own Unix socket. */
  tls?: TlsMaterial | undefined;
  /** Longest wait for each answer, in ms; 1000 unless given, 0 for ever. */
  timeoutMs?: number;
  /** Longest wait until the server has let us in, in ms; `timeoutMs` unless given. */
  connectMs?: number;
  /** 3 says HELLO 3, which `onPush` needs; 2 unless given. */
  protocol?: 2 | 3;
  /** Longest reply; 64 MiB unless given. */
  maxReplyBytes?: number;
  onPush?: (items: Reply[]) => void;
  /** Called once when it ended, for whatever reason. */
  onClosed?: (reason: string) => void;
}

/** Why a link ended: the system's code (`ECONNREFUSED`…); it was closed, by them or by us; or what `TIMEOUT` and `PROTOCOL` say. */
export type EndCode = 'CLOSED' | 'TIMEOUT' | 'PROTOCOL' | (string & {});

export interface CallOptions {
  /** Instead of the connection's own, in ms. */
  timeoutMs?: number;
  /** Bulk strings as bytes instead of UTF-8. */
  raw?: boolean;
  /** Of an exchange: bytes of its replies that are held together. A long one beyond it is passed over, and an `OverlongReply`. */
  heldBytes?: number;
  /** Of an exchange: so many of its replies may say QUEUED, and those that do are not among what it gives. */
  queued?: number;
}

export type Argument = string | number | Uint8Array;
export type Request = readonly [command: string, ...args: Argument[]];

interface Waiter {
  command: string;
  raw: boolean;
  /** Bytes of replies that may still be held. */
  heldBytes: number;
  /** Where several replies that are waited for as one go, and how many still come. */
  several: Reply[] | undefined;
  left: number;
  /** How many of those that come may yet say QUEUED, and be left out. */
  queued: number;
  resolve(reply: Reply): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout | undefined;
  isLogin: boolean;
}

const defaultTimeoutMs = 1000;
/** A reply up to this length is always held. */
const shortBytes = 4096;
const defaultMaxReplyBytes = 64 * 2 ** 20;

export class Link {
  readonly #where: string;
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  readonly #reader: ReplyReader;
  #waiters: Waiter[] = [];
  #endCode: EndCode | null = null;
  #failOpening: (error: Error) => void = () => {};
  /** Settles when the server let us in. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  #resolveEnded: () => void = () => {};

  constructor(options: LinkOptions) {
    const endpoint = wayTo(options.endpoint);
    this.#options = { ...options, endpoint };
    this.#where = describeEndpoint(endpoint);
    this.#reader = new ReplyReader(options.maxReplyBytes ?? defaultMaxReplyBytes);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const socket = openSocket(endpoint, options.tls);
    this.#socket = socket;
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) =>
      this.#end(errorCode(error) ?? 'CLOSED', errorText(error), { cause: error }),
    );
    socket.on('close', () => this.#end('CLOSED', 'the connection closed'));
    this.ready = this.#open();
    // Whoever does not wait for it learns the same from the commands.
    this.ready.catch(() => {});
  }

  get closed(): boolean {
    return this.#endCode !== null;
  }

  /** Null as long as it lasts. */
  get endCode(): EndCode | null {
    return this.#endCode;
  }

  /** The reply to one command. @throws REDIS_REFUSED for an error reply, its text in the message; else REDIS_UNREACHABLE */
  call(request: Request, options: CallOptions = {}): Promise<Reply> {
    const reply = this.#expect(request[0], options);
    if (!this.closed) this.#socket.write(encode(request));
    return reply;
  }

  /** The replies to several commands that go out in one write. @throws for the first that was refused, or has no answer */
  async callAll(requests: readonly Request[], options: CallOptions = {}): Promise<Reply[]> {
    return (await Promise.allSettled(this.callEach(requests, options))).map((reply) => {
      if (reply.status === 'rejected') throw reply.reason;
      return reply.value;
    });
  }

  /**
   * Sends what is written already, and gives the replies to the `count` commands in it, errors as `ReplyError`s. For
   * those who send very many: there is one wait for all of them.
   * @throws REDIS_UNREACHABLE
   */
  async exchange(pieces: readonly Uint8Array[], count: number, options: CallOptions = {}): Promise<Reply[]> {
    const replies: Reply[] = [];
    const answered = this.#expect(`${count} commands`, options, { several: replies, left: count });
    if (!this.closed) {
      this.#socket.cork();
      for (const piece of pieces) this.#socket.write(piece);
      this.#socket.uncork();
    }
    await answered;
    return replies;
  }

  /**
   * The same for what is not all there yet: `push` sends a piece, and returns when its memory may be used again.
   * @throws REDIS_UNREACHABLE, both
   */
  open(
    count: number,
    options: CallOptions = {},
  ): { push(piece: Uint8Array): Promise<void>; replies: Promise<Reply[]> } {
    const several: Reply[] = [];
    const replies = this.#expect(`${count} commands`, options, { several, left: count }).then(() => several);
    // Whoever pushes learns of it, too.
    replies.catch(() => {});
    const push = (piece: Uint8Array) =>
      new Promise<void>((resolve, reject) => {
        const fail = (cause?: unknown) =>
          reject(this.#unreachable('a part of a command', 'the connection is closed', cause));
        if (this.closed) return fail();
        this.#socket.write(piece, (error) => (error ? fail(error) : resolve()));
      });
    return { push, replies };
  }

  /** The reply to each of several commands that go out in one write: the server reads all of them, or none. */
  callEach(requests: readonly Request[], options: CallOptions = {}): Promise<Reply>[] {
    const replies = requests.map(([command]) => this.#expect(command, options));
    if (!this.closed) this.#socket.write(Buffer.concat(requests.map(encode)));
    return replies;
  }

  /** Ends it. Commands that wait for an answer fail. */
  close(): void {
    this.#end('CLOSED', 'closed');
  }

  async #open(): Promise<void> {
    const { credentials, protocol, tls, endpoint, timeoutMs } = this.#options;
    const limitMs = this.#options.connectMs ?? timeoutMs ?? defaultTimeoutMs;
    const late = () => this.#end('TIMEOUT', `no connection within ${limitMs} ms`);
    const timer = limitMs > 0 ? setTimeout(late, limitMs) : undefined;
    const isConnected = new Promise<void>((resolve, reject) => {
      this.#socket.once(tls && isForTls(endpoint) ? 'secureConnect' : 'connect', () => resolve());
      this.#failOpening = reject;
    });
    const login = loginRequest(credentials, protocol);
    try {
      const answered = login && this.#expect(login[0], { timeoutMs: 0 }, { isLogin: true });
      if (login) this.#socket.write(encode(login));
      this.#sayName();
      await Promise.all([isConnected, answered]);
    } finally {
      clearTimeout(timer);
    }
  }

  #sayName(): void {
    const { clientName } = this.#options;
    if (clientName === undefined || this.closed) return;
    this.#expect('CLIENT', { timeoutMs: 0 }).catch(() => {});
    this.#socket.write(encode(['CLIENT', 'SETNAME', clientName]));
  }

  #expect(
    command: string,
    { raw = false, timeoutMs, heldBytes = Number.POSITIVE_INFINITY, queued = 0 }: CallOptions,
    { isLogin = false, several, left = 1 }: Partial<Pick<Waiter, 'isLogin' | 'several' | 'left'>> = {},
  ): Promise<Reply> {
    if (this.closed) return Promise.reject(this.#unreachable(command, 'the connection is closed'));
    const limitMs = timeoutMs ?? this.#options.timeoutMs ?? defaultTimeoutMs;
    return new Promise((resolve, reject) => {
      const how = { raw, heldBytes, several, left, queued, isLogin };
      const waiter: Waiter = { command, ...how, resolve, reject, timer: undefined };
      // When this process stood still the answer may lie in the socket, which is read before an immediate runs.
      const late = () =>
        setImmediate(() => {
          if (this.#waiters.includes(waiter)) this.#end('TIMEOUT', `no answer within ${limitMs} ms`);
        });
      if (limitMs > 0) waiter.timer = setTimeout(late, limitMs);
      this.#waiters.push(waiter);
    });
  }

  #onData(chunk: Buffer): void {
    if (this.closed) return;
    try {
      this.#reader.add(chunk);
      this.#passQueued();
      while (!this.closed && this.#reader.next(this.#mayHold())) {
        this.#onReply();
        this.#passQueued();
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#end('PROTOCOL', error.message);
    }
  }

  #passQueued(): void {
    const waiter = this.#waiters[0];
    if (waiter === undefined || waiter.queued === 0) return;
    const passed = this.#reader.passQueued(waiter.queued);
    waiter.queued -= passed;
    waiter.left -= passed;
  }

  #mayHold(): number {
    return Math.max(this.#waiters[0]?.heldBytes ?? 0, shortBytes);
  }

  #onReply(): void {
    const { isPush, bytes } = this.#reader;
    const reply = this.#reader.take(!isPush && this.#waiters[0]?.raw === true);
    if (reply instanceof Push && !/subscribe$/.test(String(reply.items[0]))) {
      this.#options.onPush?.(reply.items);
      return;
    }
    const waiter = this.#waiters[0];
    if (waiter?.several !== undefined) {
      waiter.heldBytes -= bytes;
      if (waiter.queued > 0 && reply === 'QUEUED') waiter.queued--;
      else waiter.several.push(reply);
      if (--waiter.left > 0) return;
    }
    this.#waiters.shift();
    if (waiter === undefined) {
      // The last subscription may be taken back by the server; anything else would be an answer to a later command.
      if (!isPush) this.#end('PROTOCOL', 'it sent something that nobody asked for');
      return;
    }
    clearTimeout(waiter.timer);
    if (waiter.several !== undefined) waiter.resolve(null);
    else if (reply instanceof Push) waiter.resolve(reply.items);
    else if (reply instanceof ReplyError) this.#refuse(waiter, reply);
    else waiter.resolve(reply);
  }

  /** @param why the system's error behind it, or one for everyone who waits. */
  #end(code: EndCode, reason: string, why: { cause?: unknown; error?: Error } = {}): void {
    if (this.closed) return;
    this.#endCode = code;
    // Who was told that there was no answer does not expect it to be executed later.
    if (code === 'TIMEOUT') abandonSocket(this.#socket);
    else this.#socket.destroy();
    const waiters = this.#waiters;
    this.#waiters = [];
    const { error, cause } = why;
    this.#failOpening(error ?? RedisUnreachable(`no connection to ${this.#where}: ${reason}`, { cause }));
    for (const { command, timer, reject } of waiters) {
      clearTimeout(timer);
      reject(error ?? this.#unreachable(command, reason, cause));
    }
    this.#options.onClosed?.(reason);
    this.#resolveEnded();
  }

  #refuse(waiter: Waiter, reply: ReplyError): void {
    const { command, isLogin, reject } = waiter;
    const { asWhom, hint } = refusedLogin(reply.text, isLogin ? this.#options.credentials : undefined);
    const error = RedisRefused(`${this.#where} answered ${command} with: ${reply.text}${asWhom}`, {
      ...(hint === undefined ? {} : { hint }),
      cause: reply,
    });
    reject(error);
    if (isLogin) this.#end(reply.kind, reply.text, { error });
  }

  #unreachable(command: string, reason: string, cause?: unknown): Error {
    return RedisUnreachable(`no answer from ${this.#where} to ${command}: ${reason}`, { cause });
  }
}

/** HELLO and AUTH need no right. Without a user name it is the server's one password, as before Redis 6. */
function loginRequest(
  credentials: Credentials | undefined,
  protocol: 2 | 3 | undefined,
): Request | undefined {
  const { username = '', password = '' } = credentials ?? {};
  if (protocol === 3) {
    return credentials ? ['HELLO', '3', 'AUTH', username || 'default', password] : ['HELLO', '3'];
  }
  if (credentials === undefined) return undefined;
  return username === '' ? ['AUTH', password] : ['AUTH', username, password];
}

function encode(request: Request): Buffer {
  return writeRequest(request.map((arg) => (typeof arg === 'number' ? String(arg) : arg)));
}
