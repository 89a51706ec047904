import { errorCode, errorText } from '../base/errors.ts';
import { pause } from '../base/retry.ts';
import { refusalKind } from '../redis/errors.ts';
import type { BenchClient } from './bench-client.ts';
import type { Connect } from './candidate.ts';

/** What the writers saw since the last `mark`. Times in ms. */
export interface WriteGap {
  /** The longest time in which nobody's write was acknowledged. */
  gapMs: number;
  /** The longest time that any single write took to be answered. */
  waitMs: number;
  acknowledged: number;
  /** Error replies and failed calls by their first word. */
  errors: Record<string, number>;
  /** Connections that ended. */
  dropped: number;
}

/** How long the writers may take to get their last answers before they are disconnected. */
const lastAnswersMs = 2000;

/** Clients that each write one value after the other, as fast as they are answered. */
export class GapMeter {
  readonly #clients: BenchClient[];
  readonly #writers: Promise<void>[];
  #seen: WriteGap = newGap();
  #lastAckMs = performance.now();
  #stopped = false;
  #markedMs = performance.now();
  /** Per key, the newest value that was acknowledged. */
  readonly #newest = new Map<string, number>();

  constructor(connect: readonly Connect[]) {
    const onDrop = () => {
      if (!this.#stopped) this.#seen.dropped += 1;
    };
    this.#clients = connect.map((make) => make(onDrop));
    this.#writers = this.#clients.map((client, i) => this.#write(client, `bench:${i}`));
  }

  async #write(client: BenchClient, key: string): Promise<void> {
    for (let value = 0; !this.#stopped; value++) {
      const sentMs = performance.now();
      try {
        await client.call(['SET', key, value]);
        const nowMs = performance.now();
        this.#newest.set(key, value);
        this.#seen.waitMs = Math.max(this.#seen.waitMs, nowMs - Math.max(sentMs, this.#markedMs));
        this.#seen.gapMs = Math.max(this.#seen.gapMs, nowMs - this.#lastAckMs);
        this.#seen.acknowledged += 1;
        this.#lastAckMs = nowMs;
      } catch (error) {
        if (this.#stopped) return;
        const word = refusalKind(error) ?? errorCode(error) ?? errorText(error);
        this.#seen.errors[word] = (this.#seen.errors[word] ?? 0) + 1;
        // A client that is not connected fails at once; it gets its turn with the next one.
        await pause(1);
      }
    }
  }

  /** Forgets what was so far. */
  mark(): void {
    this.#seen = newGap();
    this.#markedMs = performance.now();
    this.#lastAckMs = this.#markedMs;
  }

  /** Keys that hold an older value than one that was acknowledged: to be asked when the writers have stopped. */
  async lost(reader: BenchClient): Promise<string[]> {
    const lost: string[] = [];
    for (const [key, value] of this.#newest) {
      if (Number(await reader.call(['GET', key])) < value) lost.push(key);
    }
    return lost;
  }

  get seen(): WriteGap {
    return this.#seen;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.race([Promise.all(this.#writers), pause(lastAnswersMs)]);
    for (const client of this.#clients) client.close();
    await Promise.all(this.#writers);
  }
}

function newGap(): WriteGap {
  return { gapMs: 0, waitMs: 0, acknowledged: 0, errors: {}, dropped: 0 };
}
