/**
 * Server-sent events (HTML Living Standard, 9.2). So many at most, of which some are kept for who showed a token, and some
 * of these for who may operate: nobody with less shuts them out. One whose client does not read is closed: idle or hostile
 * ones cost a socket each, and a bounded one. One whose token was revoked, or whose session ended, is closed. A comment now
 * and then shows both sides that the other is there.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../access/callers.ts';
import { ApiBusy } from '../errors.ts';

/** How many may be open of who showed no token; of these and of who may look; of all. */
const mostStreams = { unknown: 80, read: 160, operate: 200 };
type Rank = keyof typeof mostStreams;
/** Each counts against itself and against those after it. */
const ranks = ['unknown', 'read', 'operate'] as const satisfies readonly Rank[];

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

interface Listener {
  rank: Rank;
  /** Whether it may still be told. */
  mayStill: () => boolean;
}

export class Streams {
  readonly #open = new Map<ServerResponse, Listener>();
  readonly #bytes = new WeakMap<Message, Buffer>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #rights: NodeJS.Timeout;

  constructor() {
    this.#heartbeat = setInterval(() => {
      for (const raw of this.#open.keys()) write(raw, ': here\n\n');
    }, heartbeatMs).unref();
    this.#rights = setInterval(() => {
      for (const [raw, { mayStill }] of this.#open) if (!mayStill()) raw.destroy();
    }, rightsEveryMs).unref();
  }

  /** @throws API_BUSY when there are as many as there may be for such a caller. */
  open(reply: FastifyReply, caller: Caller, mayStill: () => boolean): Stream {
    const rank = rankOf(caller);
    const upTo = ranks.indexOf(rank);
    const open = [...this.#open.values()].filter((each) => ranks.indexOf(each.rank) <= upTo).length;
    if (open >= mostStreams[rank]) {
      throw ApiBusy(`${open} streams are open, and more there may not be${restKept[rank]}`, {
        hint: `Close some, or ask again from time to time instead${rank === 'unknown' ? '; or show a token' : ''}.`,
      });
    }
    reply.hijack();
    const { raw } = reply;
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    raw.socket?.setTimeout(0);
    this.#open.set(raw, { rank, mayStill });
    raw.on('close', () => this.#open.delete(raw));
    write(raw, `retry: ${comeAgainMs}\n\n`);
    return {
      send: (message) => write(raw, this.#encoded(message)),
      onClose: (listener) => raw.once('close', listener),
      end: () => raw.end(),
    };
  }

  /** A message that goes to many is made bytes once. */
  #encoded(message: Message): Buffer {
    const there = this.#bytes.get(message);
    if (there !== undefined) return there;
    const { event, data, id } = message;
    const text = `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
    const bytes = Buffer.from(text);
    this.#bytes.set(message, bytes);
    return bytes;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    clearInterval(this.#rights);
    for (const raw of this.#open.keys()) raw.destroy();
  }
}

const restKept: Record<Rank, string> = {
  unknown: ' without a token',
  read: ' for who may only look',
  operate: '',
};

function rankOf({ known, role }: Caller): Rank {
  if (!known) return 'unknown';
  return role === 'operate' ? 'operate' : 'read';
}

function write(raw: ServerResponse, bytes: string | Buffer): void {
  if (raw.writableLength > longestUnread) raw.destroy();
  else if (!raw.destroyed) raw.write(bytes);
}
