/** One virtual user: a connection that sends a request, waits for its answer, thinks for a while, and goes on. */
import { refusalKind } from '../../redis/errors.ts';
import { Link } from '../../redis/link.ts';

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

export class User {
  readonly #plan: UserPlan;
  readonly #events: UserEvents;
  readonly #value: Buffer;
  #link: Link | null = null;
  #connected = false;
  #stopped = false;
  #isRead = false;
  /** When the next request was wanted, and when the one that waits for its answer was sent; 0 for none. */
  #dueMs = 0;
  #sentMs = 0;
  #onConnected: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(plan: UserPlan, events: UserEvents) {
    this.#plan = plan;
    this.#events = events;
    this.#value = Buffer.alloc(plan.valueBytes, 'v');
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
    this.#link?.close();
    this.#onConnected();
  }

  #connect(): void {
    const { host, port } = this.#plan;
    const onClosed = () => this.#onClosed();
    const link = new Link({ endpoint: { host, port }, timeoutMs: 0, onClosed });
    this.#link = link;
    link.ready.then(
      () => {
        this.#connected = true;
        this.#onConnected();
        // It was wanted while nobody could be reached: its wait began then.
        if (this.#dueMs > 0) this.#send(this.#dueMs);
      },
      () => {
        if (!this.#stopped) this.#events.onError(link.endCode ?? 'ERROR');
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
    const { readShare, keys } = this.#plan;
    this.#isRead = Math.random() < readShare;
    const key = `bench:${String(Math.floor(Math.random() * keys)).padStart(keyDigits, '0')}`;
    this.#sentMs = sinceMs;
    const reply = this.#link?.call(this.#isRead ? ['GET', key] : ['SET', key, this.#value]);
    reply?.then(
      () => this.#onAnswer(null),
      (error: unknown) => {
        const word = refusalKind(error);
        // One that is not answered is entered when the connection ends.
        if (word !== undefined) this.#onAnswer(word);
      },
    );
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
