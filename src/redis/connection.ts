/**
 * One connection to one Redis or Sentinel, for everything but the gate. It connects when first used and again
 * after it broke; a command fails at once when the server can't be reached, and never waits in a queue for better
 * times: whoever asks decides what a missing answer means.
 */
import { Redis, ReplyError } from 'ioredis';
import { errorText } from '../base/errors.ts';
import { RedisRefused, RedisUnreachable } from './errors.ts';

export type Endpoint = { path: string } | { host: string; port: number };

export interface Credentials {
  username: string;
  password: string;
}

export interface TlsTexts {
  ca: string;
  cert: string;
  key: string;
}

export interface ConnectionOptions {
  endpoint: Endpoint;
  credentials?: Credentials | undefined;
  /** PEM texts, to speak TLS; not for Unix sockets. */
  tls?: TlsTexts | undefined;
  /** Longest wait for a connection and for each answer, in ms; 1000 unless given. */
  timeoutMs?: number;
}

export type Argument = string | number | Buffer;

export class RedisConnection {
  readonly #redis: Redis;
  readonly #where: string;
  #onClose: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#where = describeEndpoint(options.endpoint);
    const timeoutMs = options.timeoutMs ?? 1000;
    this.#redis = new Redis({
      ...options.endpoint,
      ...(options.credentials ?? {}),
      ...(options.tls && !('path' in options.endpoint) ? { tls: options.tls } : {}),
      lazyConnect: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      retryStrategy: () => null,
      autoResubscribe: false,
      disableClientInfo: true,
    });
    // Failures reach the caller through the command that met them; without a listener ioredis prints them.
    this.#redis.on('error', () => {});
    this.#redis.on('close', () => this.#onClose?.());
  }

  /** Called each time the connection ends, for whatever reason. */
  onClose(listener: () => void): void {
    this.#onClose = listener;
  }

  /**
   * Sends one command and returns its reply as ioredis gives it (strings, numbers, null, arrays).
   * @throws REDIS_REFUSED for an error reply, its text in the message; REDIS_UNREACHABLE for anything else.
   */
  async call(command: string, ...args: Argument[]): Promise<unknown> {
    try {
      await this.#ensureConnected();
      return await this.#redis.call(command, ...args);
    } catch (error) {
      // The network may have swallowed it, and TCP would go on trying for minutes: the next command starts afresh.
      if (isTimeout(error)) this.#redis.disconnect();
      throw this.#explain(error, command);
    }
  }

  /** Subscribes and calls `listener` for each message until the connection ends. */
  async subscribe(pattern: string, listener: (channel: string, message: string) => void): Promise<void> {
    this.#redis.removeAllListeners('pmessage');
    this.#redis.on('pmessage', (_pattern: string, channel: string, message: string) =>
      listener(channel, message),
    );
    try {
      await this.#ensureConnected();
      await this.#redis.psubscribe(pattern);
    } catch (error) {
      throw this.#explain(error, 'PSUBSCRIBE');
    }
  }

  /** Ends the connection; the next command opens another. */
  drop(): void {
    this.#redis.disconnect();
  }

  /** Ends the connection for good, without telling the listener. */
  close(): void {
    this.#onClose = undefined;
    this.#redis.disconnect();
  }

  async #ensureConnected(): Promise<void> {
    const { status } = this.#redis;
    if (status === 'wait' || status === 'end') await this.#redis.connect();
  }

  #explain(error: unknown, command: string): Error {
    if (error instanceof ReplyError) {
      return RedisRefused(`${this.#where} answered ${command} with: ${errorText(error)}`, { cause: error });
    }
    return RedisUnreachable(`no answer from ${this.#where} to ${command}: ${errorText(error)}`, {
      cause: error,
    });
  }
}

/** ioredis has no class for it, only this message. */
function isTimeout(error: unknown): boolean {
  return errorText(error) === 'Command timed out';
}

export function describeEndpoint(endpoint: Endpoint): string {
  return 'path' in endpoint ? endpoint.path : `${endpoint.host}:${endpoint.port}`;
}
