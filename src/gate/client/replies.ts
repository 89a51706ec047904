import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { MINUS } from '../../resp/bytes.ts';
import type { Client } from './client.ts';
import { SlowReader } from './slow-reader.ts';

/** What goes to one client: in its order, as far as it wants replies, and no more than it may leave unread. */
export class Replies {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #slow: SlowReader;
  #mode: 'on' | 'off' | 'skip' = 'on';

  constructor(client: Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    this.#slow = new SlowReader(client);
  }

  /** `skip`: not the next one. */
  get mode(): 'on' | 'off' | 'skip' {
    return this.#mode;
  }

  want(mode: 'on' | 'off' | 'skip'): void {
    this.#mode = mode;
  }

  /** A reply that is its next: written at once, or kept while an earlier request is sent again. */
  deliver(buf: Buffer, start: number, end: number): void {
    const { retries, router } = this.#client;
    if (retries.collecting) {
      retries.again({ reply: Buffer.from(buf.subarray(start, end)) });
      return;
    }
    if (this.#mode === 'on') {
      if (buf[start] === MINUS) router.counters.error(buf, start, end);
      this.write(buf, start, end);
    } else if (this.#mode === 'skip') this.#mode = 'on';
  }

  /** A confirmation of a subscription: CLIENT REPLY does not silence it. */
  confirm(buf: Buffer, start: number, end: number): void {
    if (this.#mode === 'skip') this.#mode = 'on';
    this.write(buf, start, end);
  }

  write(buf: Buffer, start: number, end: number): void {
    if (this.#client.closed) return;
    this.#client.output.write(buf, start, end);
    this.#look();
  }

  /** Replies that are its next, as they stand in memory. True when they must stay there. */
  pass(buf: Buffer, start: number, end: number): boolean {
    const { retries, closed, output } = this.#client;
    if (this.#mode !== 'on' || retries.collecting || closed) {
      this.deliver(buf, start, end);
      return false;
    }
    const lent = output.writeInPlace(buf, start, end);
    this.#look();
    return lent;
  }

  /** The client has read everything, or is gone. */
  drained(): void {
    this.#slow.stop();
    this.#client.output.drained();
  }

  #look(): void {
    const bytes = this.#socket.writableLength;
    if (bytes === 0) return;
    const { flow, router } = this.#client;
    if (bytes > router.config.limits.replyBytes) this.#client.close('slow-reader');
    else if (flow.isSlow(bytes)) {
      this.#slow.watch();
      router.buffered.update(this.#client);
    }
  }
}
