import type { Socket } from 'node:net';
import { errorText } from '../base/errors.ts';
import { type Endpoint, isForTls, type TlsMaterial, wayTo } from './endpoint.ts';
import { openSocket } from './open-socket.ts';

export interface SocketPlace {
  endpoint: Endpoint;
  tls?: TlsMaterial | undefined;
}

const maxLine = 4096;
const readBytes = 256 * 1024;

/**
 * Connects, and pulls bytes: lines first, then whatever comes. Nothing is read that is not asked for, beyond one
 * buffer, so a reader that waits makes the other side wait.
 *
 * Plain connections read into one buffer of their own, over and over: memory that is new for every read costs more
 * than all that is done with the bytes here. TLS has no such way.
 */
export class SocketReader {
  readonly socket: Socket;
  readonly #silenceMs: number;
  readonly #explain: (reason: string) => Error;
  readonly #isPlain: boolean;
  #arrived: Buffer | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #failure: unknown;
  #ended = false;
  #wake: (() => void) | undefined;

  /** @param explain makes the error for a connection that broke, with the reason. */
  constructor(place: SocketPlace, silenceMs: number, explain: (reason: string) => Error) {
    const way = { ...place, endpoint: wayTo(place.endpoint) };
    const socket = this.#connect(way);
    this.socket = socket;
    this.#isPlain = way.tls === undefined || !isForTls(way.endpoint);
    this.#silenceMs = silenceMs;
    this.#explain = explain;
    if (!this.#isPlain) socket.on('readable', () => this.#wake?.());
    socket.on('error', (error) => this.fail(this.#explain(errorText(error))));
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
  }

  /** Ends it: whoever waits, and whoever reads later, gets this error. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.socket.destroy();
    this.#wake?.();
  }

  /** The next line without its end. What is left over is copied: the buffer is used again. */
  async line(): Promise<string> {
    for (;;) {
      const at = this.#rest.indexOf(0x0a);
      if (at >= 0) {
        const line = this.#rest.toString('latin1', 0, at).replace(/\r$/, '');
        this.#rest = Buffer.from(this.#rest.subarray(at + 1));
        return line;
      }
      if (this.#rest.length > maxLine) throw this.#explain('what it sent is not the replication protocol');
      const more = await this.#more();
      this.#rest = Buffer.concat([this.#rest, more]);
    }
  }

  /** Takes back what was given too much, which is copied: it comes first when somebody reads again. */
  unread(rest: Buffer): void {
    this.#rest = Buffer.concat([rest, this.#rest]);
  }

  /** Everything from here on, without an end of its own. A piece is valid until the next is asked for. */
  async *arrivals(): AsyncGenerator<Buffer> {
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = Buffer.alloc(0);
      yield rest;
    }
    for (;;) yield await this.#more();
  }

  async #more(): Promise<Buffer> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const chunk = this.#isPlain ? this.#arrived : (this.socket.read() as Buffer | null);
      this.#arrived = undefined;
      if (chunk) return chunk;
      if (this.#ended) throw this.#explain('the server closed the connection');
      await this.#readable();
    }
  }

  #connect({ endpoint, tls }: SocketPlace): Socket {
    if (tls && isForTls(endpoint)) return openSocket(endpoint, tls);
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    const callback = (count: number) => {
      this.#arrived = buffer.subarray(0, count);
      this.#wake?.();
      // Nothing more until this was taken.
      return false;
    };
    return openSocket(endpoint, undefined, { buffer, callback });
  }

  #readable(): Promise<void> {
    if (this.#isPlain) this.socket.resume();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.fail(this.#explain(`the server sent nothing for ${Math.round(this.#silenceMs / 1000)} s`));
      }, this.#silenceMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
