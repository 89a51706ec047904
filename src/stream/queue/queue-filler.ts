/**
 * Reads a primary into a queue for as long as there is room, whether anybody takes it out or not: it asks for what follows the
 * queue's end, of whoever is primary now. While nobody takes what is there and the queue is full it hangs up, so that the
 * primary need not hold it in memory for us; its backlog may still have it when there is room again.
 *
 * A primary that does not go on from there has begun a history of its own: what both have in common is kept, when the new one
 * says how much that is (`second_repl_offset`), and the rest is asked of it. Else the queue is of no use.
 */
import { onAbort } from '../../base/abort.ts';
import { pause } from '../../base/retry.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { parseInfo } from '../../redis/info.ts';
import { pauseBehind } from '../next-step.ts';
import type { Place } from '../position.ts';
import { findSource, type SourceAddress } from '../source-address.ts';
import { type SourcePlace, SourceReader } from '../source-reader.ts';
import type { StreamQueue } from './stream-queue.ts';

const tellEveryMs = 1000;
const askMs = 2000;
const longestPauseMs = 2000;

/** It is not to be read any more, for now. */
class HungUp extends Error {}

export class QueueFiller {
  readonly #queue: StreamQueue;
  readonly #source: SourceAddress;
  #current: SourceReader | undefined;
  #adopted: SourceReader | undefined;
  #failure: { error: unknown } | undefined;
  #lostWhy: string | null = null;

  constructor(queue: StreamQueue, source: SourceAddress) {
    this.#queue = queue;
    this.#source = source;
  }

  /** Why the primary can't be read now; undefined when it is. */
  get failure(): { error: unknown } | undefined {
    return this.#failure;
  }

  /** Why the last copy was needed, as what was in the queue came to nothing; null when the target had nothing to go on from. */
  get lostWhy(): string | null {
    return this.#lostWhy;
  }

  noteLost(why: string | null): void {
    this.#lostWhy = why;
  }

  /** Goes on with a connection that stands where the queue was begun anew. */
  adopt(reader: SourceReader): void {
    this.#adopted?.close();
    this.#adopted = reader;
    this.#failure = undefined;
    this.#current?.fail(new HungUp());
    this.#queue.wake();
  }

  /** Tells the primary how far the target is. */
  acknowledge(offset: number): void {
    this.#current?.acknowledge(offset);
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => {
      this.#current?.fail(new HungUp());
      this.#queue.wake();
    };
    const stopListening = onAbort(signal, wake);
    const timer = setInterval(() => this.acknowledge(this.#queue.applied), tellEveryMs);
    try {
      for (let inVain = 0; !signal.aborted; ) {
        try {
          const reader = await this.#next(signal);
          if (reader === undefined) continue;
          inVain = 0;
          await this.#pump(reader, signal);
        } catch (error) {
          if (error instanceof HungUp || signal.aborted) continue;
          this.#failure = { error };
          this.#queue.wake();
          await pause(pauseBehind(error, inVain++) ?? longestPauseMs, signal).catch(() => {});
        }
      }
    } finally {
      clearInterval(timer);
      this.#adopted?.close();
      stopListening();
    }
  }

  /** A connection that stands at the queue's end; undefined when it is to be looked again. */
  async #next(signal: AbortSignal): Promise<SourceReader | undefined> {
    const queue = this.#queue;
    const adopted = this.#adopted;
    this.#adopted = undefined;
    if (adopted !== undefined) return adopted;
    const { end } = queue;
    if (end === undefined || !(queue.hasRoom || queue.hasReader)) {
      await queue.changed();
      return undefined;
    }
    const found = await findSource(this.#source);
    const reader = await SourceReader.open(found, end, signal);
    if (reader.snapshot === undefined && queue.end?.offset === end.offset) {
      queue.rename(reader.place.replId);
      this.#failure = undefined;
      return reader;
    }
    reader.close();
    if (reader.snapshot !== undefined && queue.end?.offset === end.offset) await this.#keepCommon(found, end);
    return undefined;
  }

  async #pump(reader: SourceReader, signal: AbortSignal): Promise<void> {
    const queue = this.#queue;
    const isOver = () => signal.aborted || this.#adopted !== undefined || queue.end === undefined;
    this.#current = reader;
    try {
      if (isOver()) return;
      reader.acknowledge(queue.applied);
      for await (const chunk of reader.commands()) {
        while (queue.hasReader && !queue.hasRoom && !isOver()) await queue.changed();
        if (isOver() || !queue.hasRoom) return;
        queue.push(chunk);
      }
    } finally {
      this.#current = undefined;
      reader.close();
    }
  }

  async #keepCommon(at: SourcePlace, end: Place): Promise<void> {
    const queue = this.#queue;
    const common = await commonUntil(at, end.replId);
    if (common !== undefined && common >= queue.applied && common < end.offset) {
      await queue.cutAt(common);
      return;
    }
    this.noteLost(`${at.address}:${at.port} does not give what follows offset ${end.offset} any more`);
    queue.lose();
  }
}

/** How much of a history a server has in common with the primary that it replaced; undefined when it does not say. */
async function commonUntil(
  { address: host, port, credentials, tls }: SourcePlace,
  replId: string,
): Promise<number | undefined> {
  const connection = new RedisConnection({ endpoint: { host, port }, credentials, tls, timeoutMs: askMs });
  try {
    const info = parseInfo(String(await connection.call('INFO', 'replication')));
    const until = Number(info['second_repl_offset']) - 1;
    return info['master_replid2'] === replId && until >= 0 ? until : undefined;
  } finally {
    connection.close();
  }
}
