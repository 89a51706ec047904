/**
 * Server-sent events (HTML Living Standard, 9.2). So many at most, and one whose client does not read is closed: idle or
 * hostile ones cost a socket each, and a bounded one. One whose token was revoked, or whose session ended, is closed. A comment now and then shows both sides that the other is there.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { ApiBusy } from '../errors.ts';

const mostStreams = 200;
const heartbeatMs = 15_000;
const rightsEveryMs = 1000;
/** What a client has not read yet, in bytes. */
const longestUnread = 2 ** 20;
/** How long a browser waits before it comes again, in ms. */
const comeAgainMs = 1000;

export interface Message {
  event: string;
  /** One line, as JSON is. */
  data: string;
  id?: string;
}

export interface Stream {
  send(message: Message): void;
  /** Called once, when it is over. */
  onClose(listener: () => void): void;
  end(): void;
}

export class Streams {
  /** With whether it may still be told. */
  readonly #open = new Map<ServerResponse, () => boolean>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #rights: NodeJS.Timeout;

  constructor() {
    this.#heartbeat = setInterval(() => {
      for (const raw of this.#open.keys()) write(raw, ': here\n\n');
    }, heartbeatMs).unref();
    this.#rights = setInterval(() => {
      for (const [raw, mayStill] of this.#open) if (!mayStill()) raw.destroy();
    }, rightsEveryMs).unref();
  }

  get count(): number {
    return this.#open.size;
  }

  /** @throws API_BUSY when there are as many as there may be. */
  open(reply: FastifyReply, mayStill: () => boolean): Stream {
    if (this.#open.size >= mostStreams) {
      throw ApiBusy(`${mostStreams} streams are open, and more there may not be`, {
        hint: 'Close some, or ask again from time to time instead.',
      });
    }
    reply.hijack();
    const { raw } = reply;
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    raw.socket?.setTimeout(0);
    this.#open.set(raw, mayStill);
    raw.on('close', () => this.#open.delete(raw));
    write(raw, `retry: ${comeAgainMs}\n\n`);
    return {
      send: ({ event, data, id }) =>
        write(raw, `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`),
      onClose: (listener) => raw.once('close', listener),
      end: () => raw.end(),
    };
  }

  close(): void {
    clearInterval(this.#heartbeat);
    clearInterval(this.#rights);
    for (const raw of this.#open.keys()) raw.destroy();
  }
}

function write(raw: ServerResponse, text: string): void {
  if (raw.writableLength > longestUnread) raw.destroy();
  else if (!raw.destroyed) raw.write(text);
}
