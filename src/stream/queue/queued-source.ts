/** A primary whose stream is read through a queue: it is read on while the target is away, up to the queue's bound. */
import { ReplicationBroken } from '../../redis/errors.ts';
import type { Feed, Snapshot } from '../feed.ts';
import type { Place } from '../position.ts';
import { describeSource, findSource, type SourceAddress } from '../source-address.ts';
import { SourceReader } from '../source-reader.ts';
import { QueueFiller } from './queue-filler.ts';
import type { StreamQueue } from './stream-queue.ts';

export class QueuedSource {
  readonly kind = 'queued';
  readonly address: SourceAddress;
  readonly #queue: StreamQueue;
  readonly #filler: QueueFiller;
  #at: string;

  constructor(address: SourceAddress, queue: StreamQueue) {
    this.address = address;
    this.#queue = queue;
    this.#filler = new QueueFiller(queue, address);
    this.#at = describeSource(address);
  }

  /** For people: where it was read from last. */
  get name(): string {
    return this.#at;
  }

  /** Why what was in the queue came to nothing; null when it has not. */
  get lostWhy(): string | null {
    return this.#filler.lostWhy;
  }

  /** Reads on, from the end of what is there, until the signal is aborted; then what is not applied is on disk. */
  async fill(signal: AbortSignal): Promise<void> {
    await this.#filler.run(signal);
    await this.#queue.close();
  }

  /** Has what follows that place kept, though nobody reads it yet; where the source can't give it, nothing is. */
  async hold(place: Place, signal: AbortSignal): Promise<void> {
    if (this.#queue.covers(place)) return;
    const reader = await SourceReader.open(await findSource(this.address), place, signal);
    if (reader.snapshot === undefined) begin(this.#queue, this.#filler, reader);
    else reader.close();
  }

  /** @throws as `SourceReader.open`, and what keeps the primary from being read when nothing else is left to give */
  async open(place: Place | null, signal: AbortSignal): Promise<Feed> {
    const queue = this.#queue;
    const filler = this.#filler;
    if (place !== null && queue.covers(place)) {
      const end = queue.end as Place;
      if (filler.failure !== undefined && place.offset === end.offset) throw filler.failure.error;
      filler.noteLost(null);
      return new QueueFeed(queue, filler, { ...place, replId: end.replId }, undefined);
    }
    if (place === null) queue.lose();
    const found = await findSource(this.address);
    this.#at = `${found.address}:${found.port}`;
    const reader = await SourceReader.open(found, place, signal);
    // A copy is begun by the next who opens, at no place.
    if (place !== null) {
      const why = `${this.#at} does not give what follows offset ${place.offset} any more`;
      filler.noteLost(reader.snapshot === undefined ? null : why);
    }
    return new QueueFeed(queue, filler, reader.place, reader);
  }
}

/** In one turn, so that nothing else gets in before what the reader brings. */
function begin(queue: StreamQueue, filler: QueueFiller, reader: SourceReader): void {
  queue.restart(reader.place);
  filler.adopt(reader);
}

class QueueFeed implements Feed {
  readonly place: Place;
  readonly #queue: StreamQueue;
  readonly #filler: QueueFiller;
  /** What the queue does not have; until it is given to the filler. */
  #reader: SourceReader | undefined;
  #failure: { error: unknown } | undefined;

  constructor(queue: StreamQueue, filler: QueueFiller, place: Place, reader: SourceReader | undefined) {
    this.place = place;
    this.#queue = queue;
    this.#filler = filler;
    this.#reader = reader;
  }

  get snapshot(): Snapshot | undefined {
    return this.#reader?.snapshot;
  }

  async *commands(): AsyncGenerator<Buffer> {
    const { offset } = this.place;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      begin(this.#queue, this.#filler, reader);
    }
    this.#queue.noteApplied(offset);
    yield* this.#queue.read(offset, (isAtEnd) => {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (isAtEnd && this.#filler.failure !== undefined) throw this.#filler.failure.error;
    });
    throw ReplicationBroken('the history of the source goes on otherwise than what was read of it', {
      hint: 'Its primary is another one now. It is asked again, from where the target is.',
    });
  }

  snapshotEnded(): void {}

  noteApplied(offset: number): void {
    this.#queue.noteApplied(offset);
  }

  acknowledge(offset: number): void {
    if (this.#reader === undefined) this.#filler.acknowledge(offset);
    else this.#reader.acknowledge(offset);
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reader?.fail(error);
    this.#queue.wake();
  }

  close(): void {
    this.#reader?.close();
  }
}
