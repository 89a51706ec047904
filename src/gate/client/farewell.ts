import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Client } from './client.ts';
import { pendingOf } from './client-output.ts';

/** A client that takes nothing of its last replies for so long is closed all the same. */
const usualTakeMs = 10_000;
/** What blocks may still find what it waits for, where nobody says that it does not. */
export const blockedMs = 100;
const lookMs = 10;

/**
 * How a client's connection ends. Whoever sent FIN behind its requests still gets their answers, as from a server,
 * which reads that FIN only after it has answered; and as from a server, whoever waits in a blocking command then is
 * gone. Once the last reply is written the connection is closed whole: nothing more is read from it.
 */
export class Farewell {
  readonly #client: Client;
  #timer: NodeJS.Timeout | undefined;
  #finished = false;
  #heard = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The client sends no more. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Its FIN came. */
  onEnd(): void {
    this.#heard = true;
    this.#client.pump();
  }

  /** Everything is answered: closes when the replies are written. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    const { socket } = this.#client;
    if (this.#timer !== undefined) clearInterval(this.#timer);
    endWith(socket);
  }

  /**
   * It goes when everything is answered, and waits for no blocking command: of one that the server says to wait, at once, or it
   * would take what somebody pushes meanwhile, for nobody.
   */
  waitForAnswers(): void {
    if (!this.#heard || this.#timer !== undefined || this.#leaves(0)) return;
    const sinceMs = performance.now();
    this.#timer = setInterval(() => {
      if (this.#client.closed || this.#leaves(performance.now() - sinceMs)) clearInterval(this.#timer);
    }, lookMs);
    this.#client.socket.once('close', () => clearInterval(this.#timer));
  }

  /** @param waitedMs for how long its last answers have been waited for */
  #leaves(waitedMs: number): boolean {
    const client = this.#client;
    const head = client.place.current?.ring.peek();
    if (head?.client !== client || head.handler?.blocking !== true) return false;
    if (head.handler.blocked !== true && waitedMs < blockedMs) return false;
    client.close();
    return true;
  }
}

/** Closes once `last` and what was written before it has left; or when nothing of that has left for a while. */
export function endWith(socket: Socket, last: string | Buffer = '', takeMs = usualTakeMs): void {
  if (last.length > 0) socket.write(last);
  socket.pause();
  socket.destroySoon();
  let before = pendingOf(socket);
  const timer = setInterval(() => {
    const pending = pendingOf(socket);
    if (pending === before) socket.destroy();
    before = pending;
  }, takeMs);
  socket.once('close', () => clearInterval(timer));
}
