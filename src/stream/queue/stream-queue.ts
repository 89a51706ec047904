/**
 * What a primary's stream has brought and its target has not applied yet, in order, by offset: at first in memory; on disk
 * as soon as it is more than a little, or nobody takes it. So a target may be away for as long as the queue's bound allows,
 * and the process may die: the next one takes over what is on disk, and asks the primary for what follows.
 *
 * One adds (queue-filler.ts), one reads at a time. What is applied is let go of. A place in the queue is one of the primary's
 * history, under any name that history has had, so that whoever reads goes on exactly behind what its target holds.
 */
import { type Clock, systemClock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Place } from '../position.ts';
import { Ages } from './ages.ts';
import { DiskQueue } from './disk-queue.ts';
import { MemoryQueue } from './memory-queue.ts';
import type { Named } from './queue-file.ts';

export interface QueueStatus {
  /** That wait to be applied, on disk and in memory. */
  bytes: number;
  /** For how long the first of them has. */
  seconds: number;
  /** Nothing more is read until some of it is applied. */
  isFull: boolean;
  /** Why it can't be written to disk; null when it can. */
  problem: string | null;
}

export interface QueueOptions {
  folder: string;
  /** No more than about so many bytes on disk. */
  mostBytes: number;
  clock?: Clock;
}

/** With a reader that keeps up all stays in memory. */
const heldBytes = 2 * 2 ** 20;
/** Nothing is added beyond it. */
const mostHeldBytes = 8 * 2 ** 20;
const longestFileBytes = 16 * 2 ** 20;
const longestWrite = 2 ** 20;
/** Of what nobody reads, so much comes together before it is written. */
const writeEveryMs = 50;
const againMs = 2000;

export class StreamQueue {
  readonly #mostBytes: number;
  readonly #fileBytes: number;
  readonly #clock: Clock;
  readonly #disk: DiskQueue;
  readonly #ages = new Ages();
  #memory: MemoryQueue | undefined;
  #names: readonly Named[] = [];
  #applied = 0;
  #reading = false;
  /** What is done on disk, one behind the other. */
  #work: Promise<unknown> = Promise.resolve();
  #writing = false;
  #timer: NodeJS.Timeout | undefined;
  #problem: string | null = null;
  #waiting: (() => void)[] = [];
  /** Counts what was begun anew: who reads what was before is told. */
  #generation = 0;
  #closed = false;

  private constructor({ folder, mostBytes, clock = systemClock }: QueueOptions) {
    this.#mostBytes = mostBytes;
    this.#clock = clock;
    this.#fileBytes = Math.min(longestFileBytes, Math.ceil(mostBytes / 8));
    this.#disk = new DiskQueue(folder, this.#fileBytes);
  }

  /** With what an earlier process left there, where that is sound. @throws what the system says of the folder */
  static async open(options: QueueOptions): Promise<StreamQueue> {
    const made = new StreamQueue(options);
    await made.#disk.load((offset, atMs) => made.#ages.saw(offset, atMs));
    const { start, end, names } = made.#disk;
    if (start !== undefined && end !== undefined) {
      made.#memory = new MemoryQueue(end);
      made.#names = names;
      made.#applied = start;
    }
    return made;
  }

  /** Where what follows is to be asked for; undefined when nothing was begun. */
  get end(): Place | undefined {
    if (this.#memory === undefined) return undefined;
    return { replId: this.#names.at(-1)!.replId, offset: this.#memory.end, db: 0 };
  }

  /** As far as the target is known to be. */
  get applied(): number {
    return this.#applied;
  }

  get hasReader(): boolean {
    return this.#reading;
  }

  get hasRoom(): boolean {
    const held = this.#memory?.bytes ?? 0;
    return this.#disk.bytes + held < this.#mostBytes && held < mostHeldBytes;
  }

  status(): QueueStatus {
    const bytes = this.#memory === undefined ? 0 : this.#memory.end - this.#applied;
    const seconds = bytes === 0 ? 0 : this.#ages.secondsBehind(this.#applied, this.#clock.wallMs());
    return { bytes, seconds, isFull: !this.#reading && !this.hasRoom, problem: this.#problem };
  }

  /** Whether it has what follows that place. */
  covers({ replId, offset }: Place): boolean {
    const memory = this.#memory;
    if (memory === undefined) return false;
    const index = this.#names.findLastIndex((each) => each.replId === replId);
    const until = Math.min(this.#names[index + 1]?.from ?? memory.end, memory.end);
    return index >= 0 && offset >= this.#retained(memory) && offset <= until;
  }

  /** Everything that was there goes; it begins at that place. */
  restart({ replId, offset }: Place): void {
    this.#forget();
    this.#memory = new MemoryQueue(offset);
    this.#names = [{ replId, from: offset }];
    this.#applied = offset;
  }

  /** What was there is of no use. */
  lose(): void {
    this.#forget();
    this.wake();
  }

  /** The history has another name from its end on. */
  rename(replId: string): void {
    const memory = this.#memory;
    if (memory === undefined || this.#names.at(-1)?.replId === replId) return;
    this.#names = [...this.#names, { replId, from: memory.end }];
    this.#generation++;
    this.wake();
  }

  /** What stands behind there is no part of the history that goes on. */
  async cutAt(offset: number): Promise<void> {
    this.#generation++;
    this.wake();
    const memory = this.#memory;
    await this.#inTurn(async () => {
      if (memory === undefined || this.#memory !== memory) return;
      this.#names = this.#names.map(({ replId, from }) => ({ replId, from: Math.min(from, offset) }));
      if (offset < memory.start) {
        await this.#disk.cutAt(offset, this.#clock.wallMs());
        this.#memory = new MemoryQueue(offset);
      } else memory.cutAt(offset);
    });
  }

  /** Copies it to the end. Only when there was room. */
  push(chunk: Buffer): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    memory.push(chunk);
    this.#ages.saw(memory.end, this.#clock.wallMs());
    this.wake();
    if (!this.#reading) this.#writeSoon(writeEveryMs);
    else if (memory.bytes > heldBytes) this.#writeSoon(0);
  }

  /** Everything up to there is in the target. */
  noteApplied(offset: number): void {
    const memory = this.#memory;
    if (memory === undefined || offset <= this.#applied) return;
    this.#applied = Math.min(offset, memory.end);
    if ((this.#disk.end ?? 0) <= this.#applied) memory.dropBefore(this.#applied);
    if ((this.#disk.start ?? Number.POSITIVE_INFINITY) < this.#applied)
      void this.#inTurn(async () => {
        if (this.#memory === memory) await this.#disk.dropBefore(this.#applied);
      });
    this.wake();
  }

  /** When something has changed: bytes came, or went, or it was begun anew. */
  async changed(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /**
   * What stands behind an offset that is covered, without an end of its own. A piece is valid until the next is asked for.
   * @param check throws when whoever reads is to end: it is asked whenever something has changed, and whether all was read
   * @returns when what it read is not there any more, or has another name
   */
  async *read(offset: number, check: (isAtEnd: boolean) => void): AsyncGenerator<Buffer> {
    const generation = this.#generation;
    this.#reading = true;
    try {
      for (let at = offset; ; ) {
        check(false);
        const memory = this.#memory;
        if (this.#generation !== generation || memory === undefined) return;
        if (at < memory.start) {
          const from = at;
          for await (const piece of this.#disk.read(at)) {
            check(false);
            if (this.#generation !== generation) return;
            if (piece.length === 0) break;
            yield piece;
            at += piece.length;
          }
          // What is on disk is not what was written there.
          if (at === from) return this.lose();
          continue;
        }
        const piece = memory.at(at);
        if (piece.length > 0) {
          yield piece;
          at += piece.length;
        } else {
          check(true);
          await this.changed();
        }
      }
    } finally {
      this.#reading = false;
      // What its target has not applied may have to wait for long.
      this.#writeSoon(0);
      this.wake();
    }
  }

  /** What is not applied is on disk then, where it can be written. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#inTurn(async () => {
      const memory = this.#memory;
      if (memory === undefined || this.#applied >= memory.end) await this.#disk.clear();
      else await this.#write(memory);
      await this.#disk.close();
    });
  }

  #forget(): void {
    this.#memory = undefined;
    this.#names = [];
    this.#ages.clear();
    this.#generation++;
    void this.#inTurn(async () => await this.#disk.clear());
  }

  /** Offset of the first byte that is here: what was applied may be gone from between disk and memory. */
  #retained(memory: MemoryQueue): number {
    return this.#disk.end === memory.start ? (this.#disk.start as number) : memory.start;
  }

  /** Has whoever reads or waits look again. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each();
  }

  #writeSoon(ms: number): void {
    if (this.#closed || this.#writing || this.#memory === undefined) return;
    this.#writing = true;
    this.#timer = setTimeout(() => {
      void this.#inTurn(async () => {
        const memory = this.#memory;
        if (memory !== undefined && this.#disk.bytes < this.#mostBytes) await this.#write(memory);
      }).then(() => {
        this.#writing = false;
        const held = this.#memory?.bytes ?? 0;
        const isWanted = this.#reading ? held > heldBytes : held > 0;
        if (isWanted) this.#writeSoon(this.#problem === null ? writeEveryMs : againMs);
      });
    }, ms);
  }

  /** All that is in memory. A disk that takes nothing leaves it there. */
  async #write(memory: MemoryQueue): Promise<void> {
    try {
      while (memory.bytes > 0 && memory === this.#memory) {
        // All of that was applied meanwhile.
        if (this.#disk.end !== undefined && this.#disk.end !== memory.start) await this.#disk.clear();
        const bytes = memory.take(Math.min(longestWrite, this.#fileBytes));
        await this.#disk.append(bytes, memory.start, this.#names, this.#clock.wallMs());
        memory.dropBefore(this.#disk.end as number);
      }
      this.#problem = null;
    } catch (error) {
      this.#problem = `the queue can’t be written: ${errorText(error)}`;
    }
    this.wake();
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#work.then(work);
    this.#work = turn.catch(() => {});
    await turn;
  }
}
