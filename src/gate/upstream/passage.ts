import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { ConfirmedReading } from './confirmed-reading.ts';
import type { Outbox } from './outbox.ts';
import type { ReplySink } from './run.ts';
import type { RunRing } from './run-ring.ts';

/** What the server does not take waits in the gate: no more than this is passed to it then. */
const untakenBytes = 1024 * 1024;

/** What goes to a member without being kept: parts of a long request, and what a client asks that is set apart. */
export class Passage {
  readonly #ring: RunRing;
  readonly #outbox: Outbox;
  readonly #socket: Socket;
  readonly #reading: ConfirmedReading;
  #used = false;

  constructor(ring: RunRing, outbox: Outbox, socket: Socket, reading: ConfirmedReading) {
    this.#ring = ring;
    this.#outbox = outbox;
    this.#socket = socket;
    this.#reading = reading;
  }

  /** Bytes that the server has not taken, and that are kept nowhere else. */
  get untaken(): number {
    return this.#used ? this.#socket.writableLength : 0;
  }

  /** It has another owner: what that one sends is kept, until it says otherwise. */
  reset(): void {
    this.#used = false;
  }

  /** Writes a part of a long request as it comes; `onDrained` is called when the server has taken it. */
  pass(chunk: Buffer, onDrained: () => void): boolean {
    this.#used = true;
    this.#outbox.flushAll();
    return this.#socket.destroyed || this.#socket.write(chunk) || this.takes(onDrained);
  }

  /** Whether the server takes what it is sent; if not, `onDrained` is called when it has, or is gone. */
  takes(onDrained: () => void): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableLength < untakenBytes) return true;
    const goOn = () => {
      socket.off('drain', goOn).off('close', goOn);
      onDrained();
    };
    socket.once('drain', goOn).once('close', goOn);
    return false;
  }

  /** Sends whole requests that nobody keeps: if the connection breaks, they are lost. */
  sendUnkept(
    client: ReplySink,
    buf: Buffer,
    start: number,
    end: number,
    count: number,
    writes: boolean,
  ): void {
    this.#used = true;
    this.#outbox.flushAll();
    this.#socket.write(Buffer.from(buf.subarray(start, end)));
    let run = this.#ring.last;
    if (run === undefined || run.kept || run.client !== client) {
      run = this.#ring.push();
      run.beginUnkept(client, this.#outbox.now);
      this.#reading.sent(run);
      this.#ring.markSent();
      client.onRunSent(0, 0);
    }
    this.#ring.extend(count);
    client.onRunExtended(count);
    if (!writes || run.writes) return;
    this.#reading.answered(run);
    run.mayWrite();
    this.#reading.sent(run);
  }
}
