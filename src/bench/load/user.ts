/**
 * One virtual user: a connection that sends a request, waits for its answer, thinks for a while, and goes on. It speaks
 * RESP itself, as one request at a time needs next to nothing of it, so that one thread carries thousands.
 */
import { connect, type Socket } from 'node:net';
import { frameReply } from '../../resp/reply.ts';

export interface UserPlan {
  host: string;
  port: number;
  /** The mean of its pauses, in ms; they are distributed exponentially, as those of many people are. 0: none. */
  thinkMs: number;
  /** Share of the requests that are GET; the others are SET. */
  readShare: number;
  valueBytes: number;
  keys: number;
}

export interface UserEvents {
  /** @param lagMs how much later than wanted it was sent */
  onAnswer(isRead: boolean, waitMs: number, lagMs: number): void;
  onError(word: string): void;
  /** The connection ended though nobody wanted it. */
  onDropped(): void;
}

const reconnectMs = 50;
const keyDigits = 9;
const dash = 45;

export class User {
  readonly #plan: UserPlan;
  readonly #events: UserEvents;
  readonly #value: string;
  #socket: Socket | null = null;
  #connected = false;
  #stopped = false;
  #isRead = false;
  /** When the next request was wanted, and when the one that waits for its answer was sent; 0 for none. */
  #dueMs = 0;
  #sentMs = 0;
  #received: Buffer | null = null;
  #onConnected: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(plan: UserPlan, events: UserEvents) {
    this.#plan = plan;
    this.#events = events;
    this.#value = `$${plan.valueBytes}\r\n${'v'.repeat(plan.valueBytes)}\r\n`;
  }

  /** Resolves when it is connected for the first time. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#onConnected = resolve;
      this.#connect();
      // Not all at once: where it is in its pause when we begin to look is chance.
      this.#think(Math.random() * this.#plan.thinkMs);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#onConnected();
  }

  #connect(): void {
    const { host, port } = this.#plan;
    const socket = connect({ host, port, noDelay: true });
    this.#socket = socket;
    socket.on('connect', () => {
      this.#connected = true;
      this.#onConnected();
      // It was wanted while nobody could be reached: its wait began then.
      if (this.#dueMs > 0) this.#send(this.#dueMs);
    });
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.#connected && !this.#stopped) this.#events.onError(error.code ?? 'ERROR');
    });
    socket.on('close', () => this.#onClose());
  }

  #onClose(): void {
    if (this.#stopped) return;
    if (this.#connected) this.#events.onDropped();
    this.#connected = false;
    this.#received = null;
    if (this.#sentMs > 0) {
      this.#sentMs = 0;
      this.#dueMs = 0;
      this.#events.onError('DROPPED');
      this.#thinkAgain();
    }
    setTimeout(() => {
      if (!this.#stopped) this.#connect();
    }, reconnectMs);
  }

  #think(ms: number): void {
    const wantedMs = performance.now() + ms;
    const go = () => {
      this.#dueMs = wantedMs;
      if (this.#connected) this.#send(performance.now());
    };
    if (ms === 0) go();
    else this.#timer = setTimeout(go, ms);
  }

  #thinkAgain(): void {
    const { thinkMs } = this.#plan;
    this.#think(thinkMs === 0 ? 0 : Math.max(1, Math.round(-Math.log(1 - Math.random()) * thinkMs)));
  }

  #send(sinceMs: number): void {
    const { readShare, keys } = this.#plan;
    this.#isRead = Math.random() < readShare;
    const key = `$${keyDigits + 6}\r\nbench:${String(Math.floor(Math.random() * keys)).padStart(keyDigits, '0')}\r\n`;
    this.#sentMs = sinceMs;
    const request = this.#isRead ? `*2\r\n$3\r\nGET\r\n${key}` : `*3\r\n$3\r\nSET\r\n${key}${this.#value}`;
    this.#socket?.write(request, 'latin1');
  }

  #onData(chunk: Buffer): void {
    const bytes = this.#received === null ? chunk : Buffer.concat([this.#received, chunk]);
    const end = frameReply(bytes, 0, bytes.length, { missing: 0, at: 0 });
    if (end < 0) {
      this.#received = bytes;
      return;
    }
    this.#received = null;
    const lagMs = Math.max(0, this.#sentMs - this.#dueMs);
    const waitMs = performance.now() - this.#sentMs;
    this.#sentMs = 0;
    this.#dueMs = 0;
    if (bytes[0] === dash) this.#events.onError(bytes.toString('latin1', 1, end).split(/[ \r]/, 1)[0] ?? '');
    else this.#events.onAnswer(this.#isRead, waitMs, lagMs);
    if (!this.#stopped) this.#thinkAgain();
  }
}
