import type { Patience } from './patience.ts';
import type { ReplySink } from './run.ts';

const slowReaderBytes = 4 * 1024 * 1024;

/** What is read: resumed, it may stand still all the same, for a reason of its own. */
interface Stoppable {
  pause(): void;
  resume(): void;
}

/**
 * Whether a connection to a member is read on. Who does not read its replies makes the gate keep them; so the connection
 * stands still instead, and the member keeps them, as it does for any client that does not read.
 */
export class Brake {
  readonly #socket: Stoppable;
  readonly #onSlow: () => void;
  readonly #patience: Patience;
  /** Monotonic ms until when a slow reader may hold up others; 0 before there was one. */
  #patientUntil = 0;
  #on = false;

  /** @param onSlow a client is slow to read a long reply, so this connection stands still */
  constructor(socket: Stoppable, patience: Patience, onSlow: () => void) {
    this.#socket = socket;
    this.#patience = patience;
    this.#onSlow = onSlow;
  }

  /** The connection waits for a reader. */
  get on(): boolean {
    return this.#on;
  }

  /**
   * In the middle of a long reply: reads no more until the client has read what it has; those who come after it use another
   * connection. Those who wait behind it are held up for a moment only: then its replies are kept for it, up to the limit
   * that closes it.
   */
  letItRead(client: ReplySink, othersWait: () => boolean): void {
    if (client.closed || client.unread < Math.min(slowReaderBytes, client.patientBytes)) return;
    const now = performance.now();
    if (this.#patientUntil === 0) {
      this.#patientUntil = this.#patience.from(now);
      this.#onSlow();
    }
    const waited = othersWait();
    if (waited && now >= this.#patientUntil) return;
    this.#stop(client, waited ? this.#patientUntil - now : null);
  }

  /** Its client alone uses this connection: it stands still while that one has so much to read. */
  holdBack(client: ReplySink): void {
    if (!client.closed && client.unread >= client.patientBytes) this.#stop(client, null);
  }

  /** Whoever does not read is kept its replies for. */
  release(): void {
    if (!this.#on) return;
    this.#on = false;
    this.#socket.resume();
  }

  #stop(client: ReplySink, ms: number | null): void {
    this.#on = true;
    this.#socket.pause();
    const goOn = () => {
      clearTimeout(timer);
      this.release();
    };
    const timer = ms === null ? undefined : setTimeout(goOn, ms);
    client.whenRead(goOn);
  }
}
