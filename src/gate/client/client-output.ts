import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Counters } from '../control/counters.ts';
import { SharedReadSocket } from './shared-reads.ts';

/** Up to here, a string is the cheapest way into the socket; beyond, what can be written in place is not copied. */
const copiedBytes = 4 * 1024;
/** Slow readers may keep this much memory of connections to members; then replies are copied for them. */
const lentLimitBytes = 32 * 1024 * 1024;
let lentBytes = 0;

/** The way of bytes to one client. */
export class ClientOutput {
  readonly #socket: Socket;
  readonly #counters: Counters;
  /** TLS may keep what it was given for as long as it likes. */
  readonly #inPlace: boolean;
  /** The size of the memory that the socket still reads from, and that is not the client's own. */
  #lent = 0;
  #onRead: (() => void) | null = null;

  constructor(socket: Socket, counters: Counters) {
    this.#socket = socket;
    this.#counters = counters;
    this.#inPlace = socket instanceof SharedReadSocket;
  }

  /** Bytes that the client has not read yet. */
  get unread(): number {
    return this.#socket.writableLength;
  }

  /** Bytes that have not left for it: a look at how far the kernel came. */
  get pending(): number {
    return pendingOf(this.#socket);
  }

  write(buf: Buffer, start: number, end: number): void {
    this.#counters.sent(end - start);
    if (end - start <= copiedBytes) this.#socket.write(buf.toString('latin1', start, end), 'latin1');
    else this.#socket.write(Buffer.from(buf.subarray(start, end)));
  }

  /** The same without a copy where that pays. True when the socket still reads from `buf`: it must not be changed. */
  writeInPlace(buf: Buffer, start: number, end: number): boolean {
    const socket = this.#socket;
    const worthIt = end - start > copiedBytes && this.#inPlace && lentBytes < lentLimitBytes;
    if (!worthIt || socket.writableLength > 0) {
      this.write(buf, start, end);
      return false;
    }
    this.#counters.sent(end - start);
    socket.write(buf.subarray(start, end));
    // Nothing is left to write: the kernel has all of it.
    if (socket.writableLength === 0) return false;
    this.#lent = buf.length;
    lentBytes += this.#lent;
    return true;
  }

  /** Calls back when the client has read what there is, or is gone. */
  whenRead(onRead: () => void): void {
    this.#onRead = onRead;
  }

  /** The client has read everything, or is gone. */
  drained(): void {
    lentBytes -= this.#lent;
    this.#lent = 0;
    const onRead = this.#onRead;
    this.#onRead = null;
    onRead?.();
  }
}

/** A number that changes whenever something leaves for whoever reads at the other end: a look at how far the kernel came. */
export function pendingOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { writeQueueSize?: number } | null };
  return socket.writableLength + (handle?.writeQueueSize ?? 0);
}
