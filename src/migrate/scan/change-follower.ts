/** Reads again what a source tells of as changed, and writes it; beside the copy and the passes, on connections of its own. */
import { pause, waitFor } from '../../base/retry.ts';
import type { Kind } from '../../rdb/format.ts';
import type { ConnectionOptions } from '../../redis/connection.ts';
import { carryRun } from '../carry-keys.ts';
import type { KeyMapping } from '../key-mapping.ts';
import type { KeySource } from '../key-source.ts';
import { KeyWriter } from '../key-writer.ts';
import { openSource } from '../open-source.ts';
import type { BothFacts } from '../server-facts.ts';
import { ChangeFeed } from './change-feed.ts';
import type { LeftOut } from './left-out.ts';

export interface FollowerOptions {
  source: ConnectionOptions;
  target: ConnectionOptions;
  mapping: KeyMapping;
  /** All, if omitted or empty. */
  types?: readonly Kind[];
  signal: AbortSignal;
}

const keysAtATime = 500;
const lookEveryMs = 10;
const catchesUpWithinMs = 600_000;
/** Those that come in while they are taken away: with fewer it has caught up. */
const fewWaiting = 100;

export class ChangeFollower {
  readonly #options: FollowerOptions;
  readonly #facts: BothFacts;
  readonly #leftOut: LeftOut;
  #feeds: ChangeFeed[] = [];
  #working: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;
  /** When it was told to end: how many were waiting then, and are written before it does. */
  #leftToWrite: number | undefined;
  /** Where what is being written was heard, and the number of the oldest of it there; null when nothing is. */
  #writing: { feed: ChangeFeed; oldest: number } | null = null;

  constructor(options: FollowerOptions, facts: BothFacts, leftOut: LeftOut) {
    this.#options = options;
    this.#facts = facts;
    this.#leftOut = leftOut;
  }

  /** @param places every server of the source. @returns why not every change will be heard; null when it will. */
  async begin(places: readonly ConnectionOptions[]): Promise<string | null> {
    this.#feeds = places.map((place) => new ChangeFeed(place));
    const reasons = await Promise.all(this.#feeds.map((feed) => feed.begin()));
    const reader = await openSource(this.#options.source, this.#options.types);
    const writer = new KeyWriter(this.#options.target, this.#facts);
    await writer.begin();
    this.#working = this.#work(reader, writer)
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        reader.close();
        writer.close();
      });
    return reasons.find((each) => each !== null) ?? null;
  }

  /** Until next to nothing waits. @throws what stopped it. */
  async caughtUp(): Promise<void> {
    const { signal } = this.#options;
    const few = () => {
      if (this.#failure !== undefined || signal.aborted) return true;
      return this.#feeds.every(({ waiting }) => waiting < fewWaiting);
    };
    await waitFor(few, {
      what: 'what changed to be written',
      withinMs: catchesUpWithinMs,
      everyMs: lookEveryMs,
    });
    signal.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Until all that changed before is written. Whoever holds the writers knows then that both sides are the same.
   * @throws what stopped it, REDIS_UNREACHABLE
   */
  async drained(signal: AbortSignal): Promise<void> {
    await this.look();
    const isIdle = () =>
      this.#failure !== undefined ||
      (this.#feeds.every(({ waiting }) => waiting === 0) && this.#writing === null);
    while (!isIdle()) await pause(1, signal);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Until everything that changed before is written, whatever has changed since. @throws what stopped it, REDIS_UNREACHABLE */
  async writtenUpToNow(signal: AbortSignal): Promise<void> {
    await this.look();
    const marks = this.#feeds.map((feed) => ({ feed, heard: feed.heard }));
    const isWritten = ({ feed, heard }: (typeof marks)[number]) =>
      feed.oldest > heard && (this.#writing?.feed !== feed || this.#writing.oldest > heard);
    while (this.#failure === undefined && !marks.every(isWritten)) await pause(1, signal);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Asks for what no notification tells; answered behind all notifications of before. @throws REDIS_UNREACHABLE, REDIS_REFUSED
   */
  async look(): Promise<void> {
    await Promise.all(this.#feeds.map((feed) => feed.look()));
  }

  /** Whether changes may have gone unheard since this was last asked. */
  takeMissed(): boolean {
    return this.#feeds.map((feed) => feed.takeMissed()).includes(true);
  }

  /** Writes what is known until now, and ends. @throws what stopped it before. */
  async finish(): Promise<void> {
    await this.end();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async end(): Promise<void> {
    this.#leftToWrite ??= this.#feeds.reduce((sum, { waiting }) => sum + waiting, 0);
    await this.#working;
    await Promise.all(this.#feeds.map((feed) => feed.end()));
  }

  #takeSome(): { db: number; keys: Buffer[] } | null {
    for (const feed of this.#feeds) {
      const { oldest } = feed;
      const taken = feed.take(keysAtATime);
      this.#writing = taken && { feed, oldest };
      if (taken !== null) return taken;
    }
    return null;
  }

  async #work(reader: KeySource, writer: KeyWriter): Promise<void> {
    const { mapping } = this.#options;
    while (!this.#options.signal.aborted && (this.#leftToWrite ?? 1) > 0) {
      const taken = this.#takeSome();
      if (taken === null) {
        if (this.#leftToWrite !== undefined) return;
        await pause(lookEveryMs);
        continue;
      }
      const { db, keys } = taken;
      if (this.#leftToWrite !== undefined) this.#leftToWrite -= keys.length;
      await reader.select(db);
      await writer.select(mapping.targetDb(db));
      for (const run of await reader.runs(keys.filter(mapping.isCarried))) {
        const { reasons } = await carryRun(reader, writer, run, mapping);
        for (const [index, reason] of reasons.entries()) {
          if (reason !== null) this.#leftOut.add(db, run.keys[index] as Buffer, reason);
        }
      }
    }
  }
}
