import type { Socket } from 'node:net';
import { errorText } from '../base/errors.ts';

const maxLine = 4096;

/**
 * Pulls bytes from a socket: lines first, then whatever comes. Nothing is read that is not asked for, beyond the
 * socket's own buffer, so a reader that waits makes the other side wait.
 */
export class SocketReader {
  readonly #socket: Socket;
  readonly #silenceMs: number;
  readonly #explain: (reason: string) => Error;
  #rest: Buffer = Buffer.alloc(0);
  #failure: unknown;
  #ended = false;
  #wake: (() => void) | undefined;

  /** @param explain makes the error for a connection that broke, with the reason. */
  constructor(socket: Socket, silenceMs: number, explain: (reason: string) => Error) {
    this.#socket = socket;
    this.#silenceMs = silenceMs;
    this.#explain = explain;
    socket.on('readable', () => this.#wake?.());
    socket.on('error', (error) => this.fail(this.#explain(errorText(error))));
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
  }

  /** Ends it: whoever waits, and whoever reads later, gets this error. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#socket.destroy();
    this.#wake?.();
  }

  /** The next line without its end. */
  async line(): Promise<string> {
    for (;;) {
      const at = this.#rest.indexOf(0x0a);
      if (at >= 0) {
        const line = this.#rest.toString('latin1', 0, at).replace(/\r$/, '');
        this.#rest = this.#rest.subarray(at + 1);
        return line;
      }
      if (this.#rest.length > maxLine) throw this.#explain('what it sent is not the replication protocol');
      const more = await this.#more();
      this.#rest = this.#rest.length === 0 ? more : Buffer.concat([this.#rest, more]);
    }
  }

  /** Everything from here on, without an end of its own. */
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
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk !== null) return chunk;
      if (this.#ended) throw this.#explain('the server closed the connection');
      await this.#readable();
    }
  }

  #readable(): Promise<void> {
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
