import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UploadBook } from './upload-book.ts';

/** What goes wrong with a request on its way to the server behind. */
export type Fault =
  /** Answered here, and the server hears nothing of it. */
  | { status: number; code?: string }
  /** The server gets only so many bytes of the body, and the connection breaks. */
  | { cutRequestAfter: number }
  /** The client gets only so many bytes of the answer's body, and the connection breaks. */
  | { cutResponseAfter: number }
  /** The server answers with an ETag that is another's. */
  | { etag: string }
  /** Nothing is passed on until this settles. */
  | { until: Promise<void> };

export type Rule = (request: { method: string; url: string }) => Fault | undefined;

/** Stands in front of s3rver, adds what that lacks, and breaks what the rule picks out. */
export class FaultProxy {
  rule: Rule = () => undefined;
  /** Every request that came: `PUT /bucket/key?partNumber=1`. */
  readonly seen: string[] = [];
  readonly #uploads = new UploadBook();
  readonly #target: URL;
  readonly #server = createServer((incoming, answer) => {
    // A client that gives up in the middle is part of the game.
    this.#handle(incoming, answer).catch(() => answer.destroy());
  });

  private constructor(target: string) {
    this.#target = new URL(target);
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming;
    this.seen.push(`${method} ${url}`);
    const fault = this.rule({ method, url });
    if (fault && 'until' in fault) await fault.until;
    if (fault && 'status' in fault) {
      incoming.resume();
      await once(incoming, 'end');
      const code = fault.code ?? 'InternalError';
      answer.writeHead(fault.status, { 'content-type': 'application/xml' });
      answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>made to fail</Message></Error>`);
      return;
    }
    if (this.#uploads.answers(incoming, answer)) {
      incoming.resume();
      return;
    }
    this.#forward(incoming, answer, fault);
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse, fault: Fault | undefined): void {
    const { method = '', url = '', headers } = incoming;
    const onward = request({
      host: this.#target.hostname,
      port: this.#target.port,
      method,
      path: url,
      headers,
    });
    onward.on('error', () => answer.destroy());
    onward.on('response', (reply) => {
      const etag = fault && 'etag' in fault ? { etag: fault.etag } : {};
      answer.writeHead(reply.statusCode ?? 500, { ...reply.headers, ...etag });
      let left = fault && 'cutResponseAfter' in fault ? fault.cutResponseAfter : Number.POSITIVE_INFINITY;
      let body = '';
      reply.on('data', (chunk: Buffer) => {
        if (method === 'POST') body += chunk.toString();
        if (left <= 0) {
          answer.destroy();
          return;
        }
        answer.write(chunk.subarray(0, left));
        left -= chunk.length;
        // What was written must have left, or nothing arrives at all.
        if (left <= 0) setImmediate(() => answer.destroy());
      });
      reply.on('end', () => {
        this.#uploads.note(incoming, reply.statusCode ?? 500, body);
        answer.end();
      });
      reply.on('error', () => answer.destroy());
    });
    let left = fault && 'cutRequestAfter' in fault ? fault.cutRequestAfter : Number.POSITIVE_INFINITY;
    incoming.on('data', (chunk: Buffer) => {
      if (left <= 0) return;
      onward.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left > 0) return;
      onward.destroy();
      answer.destroy();
    });
    incoming.on('end', () => onward.end());
  }
}
