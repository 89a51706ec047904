import { connect, type Socket } from 'node:net';
import { errorCode } from '../../base/errors.ts';
import { HttpReplyReader } from './http-reply.ts';
import type { Wire } from './wire.ts';

export interface HttpPlan {
  protocol: 'http';
  host: string;
  port: number;
  /** What a read GETs, and to where a write POSTs its JSON. */
  readPath: string;
  writePath: string;
  body: string;
}

/** One connection that stays open, and one request on it at a time, as a browser or another service has it. */
export class HttpWire implements Wire {
  readonly ready: Promise<unknown>;
  endCode: string | null = null;
  readonly #socket: Socket;
  readonly #get: string;
  readonly #post: string;
  readonly #reader = new HttpReplyReader();
  #answer: ((word: string | null) => void) | null = null;

  constructor({ host, port, readPath, writePath, body }: HttpPlan, onClosed: () => void) {
    this.#get = `GET ${readPath} HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
    this.#post = `POST ${writePath} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    this.#socket = connect({ host, port, noDelay: true });
    this.ready = new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('close', () => reject(new Error('the connection ended')));
    });
    this.#socket.on('error', (error) => {
      this.endCode = errorCode(error) ?? 'ERROR';
    });
    this.#socket.on('close', onClosed);
    this.#socket.on('data', (chunk) => this.#onData(chunk));
  }

  close(): void {
    this.#socket.destroy();
  }

  request(isRead: boolean): Promise<string | null> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#socket.write(isRead ? this.#get : this.#post);
    });
  }

  #onData(chunk: Buffer): void {
    const progress = this.#reader.push(chunk);
    if (progress.kind === 'more') return;
    const answer = this.#answer;
    this.#answer = null;
    if (progress.kind === 'bad') {
      answer?.(progress.why);
      this.close();
      return;
    }
    answer?.(progress.status < 400 ? null : `HTTP_${progress.status}`);
  }
}
