/**
 * One Redis or Sentinel, for whoever asks it again and again. It connects when first used and again after the
 * connection broke; a command fails at once when the server can't be reached, and never waits in a queue for better
 * times: whoever asks decides what a missing answer means.
 */
import type { Reply } from '../resp/read.ts';
import type { Credentials, Endpoint, TlsMaterial } from './endpoint.ts';
import { type Argument, type CallOptions, Link, type Request } from './link.ts';

export interface ConnectionOptions {
  endpoint: Endpoint;
  credentials?: Credentials | undefined;
  /** What the server is to call it; nothing unless given. */
  clientName?: string | undefined;
  /** To speak TLS; not for a server's own Unix socket. */
  tls?: TlsMaterial | undefined;
  /** Longest wait for a connection and for each answer, in ms; 1000 unless given. */
  timeoutMs?: number;
  /** Longest reply; 64 MiB unless given. */
  maxReplyBytes?: number;
}

/** Whatever answers commands. */
export interface Caller {
  call(command: string, ...args: Argument[]): Promise<unknown>;
}

export class RedisConnection implements Caller {
  readonly #options: ConnectionOptions;
  #link: Link | undefined;
  #onClose: (() => void) | undefined;
  #onMessage: ((channel: string, message: string) => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Called each time the connection ends, for whatever reason; also when one could not be opened. */
  onClose(listener: () => void): void {
    this.#onClose = listener;
  }

  /**
   * Sends one command and returns its reply: strings, numbers, null, arrays; maps as flat arrays.
   * @throws REDIS_REFUSED for an error reply, its text in the message; REDIS_UNREACHABLE for anything else.
   */
  call(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#open().call([command, ...args]);
  }

  /** The same, with a deadline of its own, or for replies as bytes. */
  ask(request: Request, options: CallOptions): Promise<Reply> {
    return this.#open().call(request, options);
  }

  /** Several commands in one write. @throws for the first that was refused, when all are answered. */
  askAll(requests: readonly Request[], options: CallOptions = {}): Promise<Reply[]> {
    return this.#open().callAll(requests, options);
  }

  /** The reply to each of several commands in one write: the server reads all of them, or none. */
  askEach(requests: readonly Request[], options: CallOptions = {}): Promise<Reply>[] {
    return this.#open().callEach(requests, options);
  }

  /** Subscribes and calls `listener` for each message until the connection ends. */
  async subscribe(pattern: string, listener: (channel: string, message: string) => void): Promise<void> {
    this.#onMessage = listener;
    // Only in RESP3 can other commands go on on the same connection.
    await this.#open().callAll([
      ['HELLO', '3'],
      ['PSUBSCRIBE', pattern],
    ]);
  }

  /** Ends the connection; the next command opens another. */
  drop(): void {
    this.#link?.close();
  }

  /** Ends the connection for good, without telling the listener. */
  close(): void {
    this.#onClose = undefined;
    this.#link?.close();
  }

  #open(): Link {
    if (this.#link !== undefined && !this.#link.closed) return this.#link;
    this.#link = new Link({
      ...this.#options,
      onPush: ([kind, , channel, message]) => {
        if (kind === 'pmessage') this.#onMessage?.(String(channel), String(message));
      },
      // Later: whoever dropped it is still at work, and commands that failed with it are told first.
      onClosed: () => queueMicrotask(() => this.#onClose?.()),
    });
    return this.#link;
  }
}
