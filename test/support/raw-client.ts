import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { splitInline } from '../../src/resp/arguments.ts';
import { frameReply } from '../../src/resp/reply.ts';
import { writeRequest } from '../../src/resp/write.ts';

/** Lines as they were encoded: random clients say the same few again and again. */
const encoded = new Map<string, Buffer>();
const mostKeptBytes = 8 * 1024 * 1024;
let keptBytes = 0;

function encode(line: string): Buffer {
  const known = encoded.get(line);
  if (known !== undefined) return known;
  const request = writeRequest(splitInline(Buffer.from(line)) ?? []);
  if (keptBytes + request.length <= mostKeptBytes) {
    keptBytes += request.length;
    encoded.set(line, request);
  }
  return request;
}

/** A client that sees the bytes: one reply at a time, as they came. */
export class RawClient {
  readonly #socket: Socket;
  #buf = Buffer.alloc(0);
  #pos = 0;
  #progress = { missing: 0, at: 0 };
  #waiting: ((reply: string) => void)[] = [];
  readonly #ready: string[] = [];
  /** Bytes read so far. */
  received = 0;
  /** When true, bytes are counted and not kept. */
  countOnly = false;
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.received += chunk.length;
      if (this.countOnly) return;
      this.#buf = Buffer.concat([this.#buf.subarray(this.#pos), chunk]);
      this.#pos = 0;
      this.#read();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      for (const resolve of this.#waiting.splice(0)) resolve('(closed)');
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Sends words, split as redis-cli splits a line, and returns the bytes of the reply as latin1. */
  async ask(line: string): Promise<string> {
    this.send(line);
    return this.reply(line);
  }

  send(line: string): void {
    this.#socket.write(encode(line));
  }

  /** The same for several, in one write. */
  sendAll(lines: readonly string[]): void {
    this.#socket.write(Buffer.concat(lines.map(encode)));
  }

  /** Bytes that the kernel has taken. */
  get bytesSent(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** Resolves when the bytes have left; at once, mostly. */
  write(bytes: string | Buffer): Promise<void> {
    const sent = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    return new Promise((resolve) => this.#socket.write(sent, () => resolve()));
  }

  /** The next reply, pushes included; `(closed)` when there is none to come. */
  async reply(what = 'a reply', withinMs = 60_000): Promise<string> {
    const ready = this.#ready.shift();
    if (ready !== undefined) return ready;
    if (this.closed) return '(closed)';
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no reply within ${withinMs} ms: ${what}`)), withinMs);
      this.#waiting.push((reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
    });
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends without a word, as a process that dies with replies unread: whoever only closes still wants its answers. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(): void {
    while (this.#pos < this.#buf.length) {
      const next = frameReply(this.#buf, this.#pos, this.#buf.length, this.#progress);
      if (next < 0) return;
      const reply = this.#buf.toString('latin1', this.#pos, next);
      this.#pos = next;
      const waiting = this.#waiting.shift();
      if (waiting) waiting(reply);
      else this.#ready.push(reply);
    }
  }
}
