/** One virtual user: a connection that sends a request, waits for its answer, thinks for a while, and goes on. */
import type { OpenWire, Wire } from './wire.ts';

export interface UserPlan {
  /** The mean of its pauses, in ms; they are distributed exponentially, as those of many people are. 0: none. */
  thinkMs: number;
  /** Share of the requests that read; the others write. */
  readShare: number;
}

export interface UserEvents {
  /** @param lagMs how much later than wanted it was sent */
  onAnswer(isRead: boolean, waitMs: number, lagMs: number): void;
  onError(word: string): void;
  /** The connection ended though nobody wanted it. */
  onDropped(): void;
}

const reconnectMs = 50;

export class User {
  readonly #plan: UserPlan;
  readonly #events: UserEvents;
  readonly #open: OpenWire;
  #wire: Wire | null = null;
  #connected = false;
  #stopped = false;
  #isRead = false;
  /** When the next request was wanted, and when the one that waits for its answer was sent; 0 for none. */
  #dueMs = 0;
  #sentMs = 0;
  #onConnected: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(plan: UserPlan, open: OpenWire, events: UserEvents) {
    this.#plan = plan;
    this.#open = open;
    this.#events = events;
  }

  /** Resolves when it is connected for the first time. */
  connect(): Promise<void> {
    return new Promise((resolve) => {
      this.#onConnected = resolve;
      this.#connect();
    });
  }

  begin(): void {
    // Not all at once: where it is in its pause when we begin to look is chance.
    this.#think(Math.random() * this.#plan.thinkMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#wire?.close();
    this.#onConnected();
  }

  #connect(): void {
    const wire = this.#open(() => this.#onClosed());
    this.#wire = wire;
    wire.ready.then(
      () => {
        this.#connected = true;
        this.#onConnected();
        // It was wanted while nobody could be reached: its wait began then.
        if (this.#dueMs > 0) this.#send(this.#dueMs);
      },
      () => {
        if (!this.#stopped) this.#events.onError(wire.endCode ?? 'ERROR');
      },
    );
  }

  #onClosed(): void {
    if (this.#stopped) return;
    if (this.#connected) this.#events.onDropped();
    this.#connected = false;
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
    this.#isRead = Math.random() < this.#plan.readShare;
    this.#sentMs = sinceMs;
    // One that is not answered is entered when the connection ends.
    void this.#wire?.request(this.#isRead).then((word) => this.#onAnswer(word));
  }

  /** @param word of an error reply, or null */
  #onAnswer(word: string | null): void {
    const lagMs = Math.max(0, this.#sentMs - this.#dueMs);
    const waitMs = performance.now() - this.#sentMs;
    this.#sentMs = 0;
    this.#dueMs = 0;
    if (word !== null) this.#events.onError(word);
    else this.#events.onAnswer(this.#isRead, waitMs, lagMs);
    if (!this.#stopped) this.#thinkAgain();
  }
}
