import type { Redis } from 'ioredis';

/** What one writer saw. Times on the monotonic clock, in ms. */
export interface LoadReport {
  acknowledged: number;
  /** Error replies, by their first word. */
  errors: Map<string, number>;
  /** Connections that ended while the load ran. */
  dropped: number;
  longestWaitMs: number;
  /** The longest time in which nobody's write was acknowledged. */
  longestGapMs: number;
  /** Per client: the highest value acknowledged. */
  highest: number[];
}

/** Clients that write one value after the other, each to a list of its own, until told to stop. */
export class WriteLoad {
  readonly #clients: Redis[];
  readonly #prefix: string;
  readonly #writers: Promise<void>[];
  readonly #report: LoadReport;
  readonly #unacknowledged = new Set<string>();
  #stopped = false;
  #lastAckMs = performance.now();

  /** @param prefix of the keys of its lists */
  constructor(clients: Redis[], prefix = '') {
    this.#clients = clients;
    this.#prefix = prefix;
    this.#report = {
      acknowledged: 0,
      errors: new Map(),
      dropped: 0,
      longestWaitMs: 0,
      longestGapMs: 0,
      highest: clients.map(() => -1),
    };
    for (const client of clients) {
      client.on('close', () => {
        if (!this.#stopped) this.#report.dropped += 1;
      });
    }
    this.#writers = clients.map((client, i) => this.#write(client, i));
  }

  async #write(client: Redis, index: number): Promise<void> {
    for (let value = 0; !this.#stopped; value++) {
      const sentMs = performance.now();
      try {
        await client.rpush(this.#keyOf(index), value);
        this.#acknowledge(index, value, sentMs);
      } catch (error) {
        this.#unacknowledged.add(`${index}:${value}`);
        const word = String((error as Error).message).split(' ', 1)[0] ?? '';
        this.#report.errors.set(word, (this.#report.errors.get(word) ?? 0) + 1);
        if (client.status === 'end') return;
      }
    }
  }

  #keyOf(index: number): string {
    return `${this.#prefix}load:${index}`;
  }

  #acknowledge(index: number, value: number, sentMs: number): void {
    const nowMs = performance.now();
    this.#report.acknowledged += 1;
    this.#report.highest[index] = value;
    this.#report.longestWaitMs = Math.max(this.#report.longestWaitMs, nowMs - sentMs);
    this.#report.longestGapMs = Math.max(this.#report.longestGapMs, nowMs - this.#lastAckMs);
    this.#lastAckMs = nowMs;
  }

  /** Forgets the gaps so far, so that the next one is measured alone. */
  resetGap(): void {
    this.#report.longestGapMs = 0;
    this.#report.longestWaitMs = 0;
    this.#lastAckMs = performance.now();
  }

  get report(): LoadReport {
    return this.#report;
  }

  async stop(): Promise<LoadReport> {
    this.#stopped = true;
    await Promise.all(this.#writers);
    return this.#report;
  }

  /** Values that were acknowledged and are not in the lists now, as `client:value`. */
  async lost(reader: Redis): Promise<string[]> {
    const lost: string[] = [];
    for (const [index] of this.#clients.entries()) {
      const there = new Set(await reader.lrange(this.#keyOf(index), 0, -1));
      for (let value = 0; value <= (this.#report.highest[index] ?? -1); value++) {
        if (!there.has(String(value)) && !this.#unacknowledged.has(`${index}:${value}`))
          lost.push(`${index}:${value}`);
      }
    }
    return lost;
  }
}
