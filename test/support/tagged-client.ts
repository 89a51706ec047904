import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { frameReply } from '../../src/resp/reply.ts';
import type { Random } from './random.ts';
import { type Tagged, TaggedRequests } from './tagged-requests.ts';

const message = /^[*>]3\r\n\$7\r\nmessage\r\n\$\d+\r\n(ch:c\d+):\d\r\n\$\d+\r\n(ch:c\d+)\|/;
/** Requests under way at once, at most. */
const pipelined = 60;

interface Expected {
  line: string;
  check: (reply: string) => string | null;
}

/** Sends random tagged requests, cut into random pieces, and holds each reply against the request that is next. */
export class TaggedClient {
  readonly #socket: Socket;
  readonly #random: Random;
  readonly #requests: TaggedRequests;
  readonly #expected: Expected[] = [];
  #buf: Buffer = Buffer.alloc(0);
  readonly #progress = { missing: 0, at: 0 };
  readonly #history: string[] = [];
  #stopping = false;
  answered = 0;
  uncertain = 0;
  messages = 0;
  /** What was wrong first; the client does nothing more then. */
  complaint: string | null = null;

  private constructor(socket: Socket, random: Random, requests: TaggedRequests) {
    this.#socket = socket;
    this.#random = random;
    this.#requests = requests;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!this.#stopping || this.#expected.length > 0) this.#complain('the connection was closed');
    });
  }

  static async open(
    port: number,
    random: Random,
    id: number,
    protocol: 2 | 3,
    stoodStill = () => false,
  ): Promise<TaggedClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new TaggedClient(socket, random, new TaggedRequests(random, id, protocol, stoodStill));
    if (protocol === 3) {
      const bytes = Buffer.from('*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n');
      client.#send([
        { line: 'HELLO 3', bytes, checks: [(reply) => (reply.startsWith('%') ? null : 'wanted a map')] },
      ]);
    }
    client.#go();
    return client;
  }

  /** Sends no more but a last request. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    if (this.complaint === null) this.#send(this.#requests.last());
  }

  /** Everything was answered. */
  get done(): boolean {
    return this.complaint !== null || (this.#stopping && this.#expected.length === 0);
  }

  /** What it waits for, for a test that ends in vain. */
  get waitsFor(): string {
    return `${this.#expected.length} replies, the next to ${this.#expected[0]?.line}; before it ${this.#tail()}`;
  }

  close(): void {
    this.#stopping = true;
    this.#expected.length = 0;
    this.#socket.destroy();
  }

  #go(): void {
    const goesOn = () => !this.#stopping && this.complaint === null;
    const target = 1 + this.#random.below(pipelined);
    while (goesOn() && this.#expected.length < target) this.#send(this.#requests.next());
  }

  #send(requests: Tagged[]): void {
    const bytes = Buffer.concat(requests.map((each) => each.bytes));
    for (const { line, checks } of requests) {
      for (const check of checks) this.#expected.push({ line, check });
    }
    const cut = this.#random.once(3) ? this.#random.below(bytes.length + 1) : bytes.length;
    if (cut > 0) this.#socket.write(bytes.subarray(0, cut));
    if (cut < bytes.length) this.#socket.write(bytes.subarray(cut));
  }

  #onData(chunk: Buffer): void {
    this.#buf = this.#buf.length === 0 ? chunk : Buffer.concat([this.#buf, chunk]);
    let pos = 0;
    while (pos < this.#buf.length && this.complaint === null) {
      const next = frameReply(this.#buf, pos, this.#buf.length, this.#progress);
      if (next === -1) break;
      if (next === -2) this.#complain('what came is not RESP');
      else this.#take(this.#buf.toString('latin1', pos, next));
      pos = next;
    }
    this.#buf = this.#buf.subarray(Math.max(0, pos));
    if (!this.#stopping) this.#go();
  }

  #take(reply: string): void {
    const heard = message.exec(reply);
    if (heard !== null) {
      this.messages++;
      if (heard[1] !== heard[2]) this.#complain(`a message on another channel: ${reply}`);
      return;
    }
    const expected = this.#expected.shift();
    if (expected === undefined) {
      this.#complain(`nothing was asked, and ${JSON.stringify(reply.slice(0, 200))} came`);
      return;
    }
    this.answered++;
    if (reply.startsWith('-UNCERTAIN')) this.uncertain++;
    const wrong = expected.check(reply);
    this.#history.push(`${expected.line} -> ${reply.slice(0, 60).trim()}`);
    if (this.#history.length > 40) this.#history.shift();
    if (wrong !== null) {
      this.#complain(`${expected.line}: ${wrong}, found ${JSON.stringify(reply.slice(0, 200))}`);
    }
  }

  #complain(text: string): void {
    this.complaint ??= `${text}\n  before it: ${this.#tail()}\n  after it: ${this.#expected
      .slice(0, 8)
      .map(({ line }) => line)
      .join(' | ')}`;
  }

  #tail(): string {
    return this.#history.slice(-12).join(' | ');
  }
}
