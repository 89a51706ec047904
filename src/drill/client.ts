/**
 * One client of a drill: one connection, one command at a time, no second try of its own and nothing hidden. Client
 * libraries send again what was not answered, or queue it while they reconnect; here every answer, error and broken
 * connection must be seen.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorCode, errorText } from '../base/errors.ts';
import { type Reply, ReplyError, readReply } from '../resp/read.ts';
import { frameReply, REPLY_INCOMPLETE, REPLY_MALFORMED, type ReplyProgress } from '../resp/reply.ts';
import { writeRequest } from '../resp/write.ts';
import type { Door } from '../testbed/door.ts';

/** A reply; or why there is none. `sent` says whether the server may have executed the command. */
export type Answer =
  | { kind: 'reply'; reply: Reply }
  | { kind: 'error'; word: string }
  | { kind: 'broken'; word: string; sent: boolean };

/** A server, or a network, that is silent for so long is given up; longer than any timeout that a drill meets. */
const silentMs = 40_000;
const connectMs = 3000;

export class DrillClient {
  readonly door: Door;
  readonly #onDrop: () => void;
  #socket: Socket | null = null;
  #received: Buffer = Buffer.alloc(0);
  readonly #progress: ReplyProgress = { missing: 0, at: 0 };
  #waiting: ((answer: Answer) => void) | null = null;
  #closed = false;
  #hasAnswered = false;

  /**
   * @param onDrop called when a connection on which something was answered ended, and this client had not ended it. One
   *   that is closed before its first answer is an error, but nothing was dropped: a proxy without a server does that.
   */
  constructor(door: Door, onDrop: () => void = () => {}) {
    this.door = door;
    this.#onDrop = onDrop;
  }

  /** Sends one command, connecting first if need be. Never throws. */
  async call(...args: string[]): Promise<Answer> {
    if (this.#socket === null) {
      const refused = await this.#connect();
      if (refused) return refused;
    }
    return this.#ask(args);
  }

  close(): void {
    this.#closed = true;
    this.#end('CLOSED');
  }

  async #connect(): Promise<Answer | null> {
    if (this.#closed) return { kind: 'broken', word: 'CLOSED', sent: false };
    const { endpoint, tls, credentials } = this.door;
    const socket =
      tls && !('path' in endpoint) ? connectTls({ ...endpoint, ...tls }) : connectPlain({ ...endpoint });
    socket.setNoDelay(true);
    const problem = await new Promise<string | null>((resolve) => {
      const timer = setTimeout(() => resolve('ETIMEDOUT'), connectMs);
      const settle = (word: string | null) => {
        clearTimeout(timer);
        resolve(word);
      };
      socket.once(tls ? 'secureConnect' : 'connect', () => settle(null));
      socket.once('error', (error) => settle(errorCode(error) ?? errorText(error)));
      socket.once('close', () => settle('ECONNRESET'));
    });
    if (problem !== null || this.#closed) {
      socket.on('error', () => {});
      socket.destroy();
      return { kind: 'broken', word: problem ?? 'CLOSED', sent: false };
    }
    this.#listen(socket);
    if (!credentials) return null;
    const answer = await this.#ask(['AUTH', credentials.username, credentials.password]);
    if (answer.kind === 'reply') return null;
    this.#end(answer.word);
    return { kind: 'broken', word: answer.word, sent: false };
  }

  #listen(socket: Socket): void {
    this.#socket = socket;
    this.#hasAnswered = false;
    this.#received = Buffer.alloc(0);
    this.#progress.missing = 0;
    const ended = (word: string) => {
      if (this.#socket !== socket) return;
      this.#dropped();
      this.#end(word);
    };
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => ended(errorCode(error) ?? 'ERROR'));
    socket.on('end', () => ended('CLOSED'));
    socket.on('close', () => ended('CLOSED'));
  }

  #ask(args: string[]): Promise<Answer> {
    return new Promise((resolve) => {
      const socket = this.#socket;
      if (socket === null) return resolve({ kind: 'broken', word: 'CLOSED', sent: false });
      const timer = setTimeout(() => {
        this.#dropped();
        this.#end('TIMEOUT');
      }, silentMs);
      this.#waiting = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      socket.write(writeRequest(args));
    });
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = frameReply(this.#received, 0, this.#received.length, this.#progress);
    if (end === REPLY_INCOMPLETE) return;
    if (end === REPLY_MALFORMED || this.#waiting === null) {
      this.#dropped();
      this.#end('PROTOCOL');
      return;
    }
    const reply = readReply(this.#received, 0, end);
    this.#received = this.#received.subarray(end);
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#hasAnswered = true;
    waiting(reply instanceof ReplyError ? { kind: 'error', word: reply.kind } : { kind: 'reply', reply });
  }

  #dropped(): void {
    if (this.#hasAnswered) this.#onDrop();
  }

  #end(word: string): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#socket?.destroy();
    this.#socket = null;
    waiting?.({ kind: 'broken', word, sent: true });
  }
}
