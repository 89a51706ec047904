import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { errorText } from '../../base/errors.ts';
import { PUSH } from '../../resp/bytes.ts';
import { Push, type Reply, ReplyError, readReply } from '../../resp/read.ts';
import { frameReply, REPLY_INCOMPLETE, REPLY_MALFORMED, type ReplyProgress } from '../../resp/reply.ts';
import { writeRequest } from '../../resp/write.ts';
import type { Credentials, Endpoint, GateTls } from '../config.ts';
import { GateLinkFailed } from '../errors.ts';
import { Inbox } from './inbox.ts';
import { openSocket } from './open-socket.ts';

export interface LinkOptions {
  credentials: Credentials | null;
  tls: GateTls | null;
  connectMs: number;
  /** Speak RESP3, so that events and answers share the connection. */
  onPush?: (items: Reply[]) => void;
  onClosed?: (reason: string) => void;
}

interface Waiter {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/**
 * The gate's own small connection to a member or a Sentinel, for its own questions. It connects at once, logs in,
 * and ends for good when it breaks: calls that are open then, and later ones, fail with GATE_LINK.
 */
export class Link {
  readonly #endpoint: Endpoint;
  readonly #socket: Socket;
  readonly #inbox = new Inbox();
  readonly #progress: ReplyProgress = { missing: 0, at: 0 };
  readonly #options: LinkOptions;
  #waiters: Waiter[] = [];
  closed = false;
  /** Settles when the server let us in. */
  readonly ready: Promise<void>;

  constructor(endpoint: Endpoint, options: LinkOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#socket = openSocket(endpoint, options.tls);
    const timer = setTimeout(
      () => this.#end(`no connection within ${options.connectMs} ms`),
      options.connectMs,
    );
    this.#socket.on('connect', () => clearTimeout(timer));
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('error', (error) => this.#end(errorText(error)));
    this.#socket.on('close', () => {
      clearTimeout(timer);
      this.#end('the connection closed');
    });
    this.ready = this.#logIn();
    this.ready.catch((error: unknown) => this.#end(errorText(error)));
  }

  /** The reply; an error reply rejects. A subscription is asked for one name at a time. */
  call(...args: string[]): Promise<Reply> {
    const reply = this.#expect();
    if (!this.closed) this.#socket.write(writeRequest(args));
    return reply;
  }

  /** The replies to several requests that go out in one write, so that the server is woken once for all. */
  callAll(...requests: string[][]): Promise<Reply[]> {
    const replies = Promise.all(requests.map(() => this.#expect()));
    if (!this.closed) this.#socket.write(Buffer.concat(requests.map(writeRequest)));
    return replies;
  }

  #expect(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.closed) reject(this.#failure('the connection is closed'));
      else this.#waiters.push({ resolve, reject });
    });
  }

  close(): void {
    this.#end('closed');
  }

  async #logIn(): Promise<void> {
    const { credentials, onPush } = this.#options;
    const auth = credentials ? ['AUTH', credentials.username, credentials.password] : [];
    if (onPush) await this.call('HELLO', '3', ...auth);
    else if (credentials) await this.call(...auth);
  }

  #onData(chunk: Buffer): void {
    const inbox = this.#inbox;
    inbox.add(chunk);
    while (inbox.start < inbox.end && !this.closed) {
      const next = frameReply(inbox.buf, inbox.start, inbox.end, this.#progress);
      if (next === REPLY_INCOMPLETE) return;
      if (next === REPLY_MALFORMED) {
        this.#end('it sent something that is not RESP');
        return;
      }
      const isPush = inbox.buf[inbox.start] === PUSH;
      const reply = readReply(inbox.buf, inbox.start, next);
      inbox.start = next;
      if (reply instanceof Push) {
        // A subscription's confirmation is a push too, and answers the call that asked for it.
        if (isPush && /subscribe$/.test(String(reply.items[0]))) this.#waiters.shift()?.resolve(reply.items);
        else this.#options.onPush?.(reply.items);
      } else if (reply instanceof ReplyError) this.#waiters.shift()?.reject(this.#failure(reply.text));
      else this.#waiters.shift()?.resolve(reply);
    }
  }

  #end(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.#socket.destroy();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(this.#failure(reason));
    this.#options.onClosed?.(reason);
  }

  #failure(reason: string): Error {
    return GateLinkFailed(`${this.#endpoint.address}:${this.#endpoint.port}: ${reason}`);
  }
}
