/**
 * One client of a drill: one connection, one command at a time, no second try of its own and nothing hidden. Client
 * libraries send again what was not answered, or queue it while they reconnect; here every answer, error and broken
 * connection must be seen.
 */
import { errorText } from '../base/errors.ts';
import { refusalKind } from '../redis/errors.ts';
import { Link, type Request } from '../redis/link.ts';
import type { Reply } from '../resp/read.ts';
import type { Listener } from '../testbed/listener.ts';

/** A reply; or why there is none. `sent` says whether the server may have executed the command. */
export type Answer =
  | { kind: 'reply'; reply: Reply }
  | { kind: 'error'; word: string }
  | { kind: 'broken'; word: string; sent: boolean };

/** A server, or a network, that is silent for so long is given up; longer than any timeout that a drill meets. */
const silentMs = 40_000;
const connectMs = 3000;

export class DrillClient {
  readonly listener: Listener;
  readonly #onDrop: () => void;
  #link: Link | null = null;
  #closed = false;
  #hasAnswered = false;

  /**
   * @param onDrop called when a connection on which something was answered ended, and this client had not ended it. One
   *   that is closed before its first answer is an error, but nothing was dropped: a proxy without a server does that.
   */
  constructor(listener: Listener, onDrop: () => void = () => {}) {
    this.listener = listener;
    this.#onDrop = onDrop;
  }

  /** Sends one command, connecting first if need be. Never throws. */
  async call(...request: Request): Promise<Answer> {
    let link = this.#link;
    if (link === null || link.closed) {
      if (this.#closed) return { kind: 'broken', word: 'CLOSED', sent: false };
      link = this.#connect();
      try {
        await link.ready;
        this.#hasAnswered = this.listener.credentials !== undefined;
      } catch (error) {
        return { kind: 'broken', word: refusalKind(error) ?? link.endCode ?? errorText(error), sent: false };
      }
    }
    if (link.closed) return { kind: 'broken', word: link.endCode ?? 'CLOSED', sent: false };
    try {
      const reply = await link.call(request);
      this.#hasAnswered = true;
      return { kind: 'reply', reply };
    } catch (error) {
      const word = refusalKind(error);
      if (word === undefined) return { kind: 'broken', word: link.endCode ?? errorText(error), sent: true };
      this.#hasAnswered = true;
      return { kind: 'error', word };
    }
  }

  close(): void {
    this.#closed = true;
    this.#link?.close();
  }

  #connect(): Link {
    this.#hasAnswered = false;
    const { endpoint, tls, credentials } = this.listener;
    const onClosed = () => {
      if (this.#hasAnswered && !this.#closed) this.#onDrop();
    };
    this.#link = new Link({ endpoint, tls, credentials, connectMs, timeoutMs: silentMs, onClosed });
    return this.#link;
  }
}
