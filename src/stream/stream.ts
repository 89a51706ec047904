/**
 * A stream: everything that a source has, and then everything that it does, into a target, until it is stopped.
 *
 * It is a row of attempts. Each reads from the target where it stands, asks the source for what follows, and applies it
 * until something breaks; nothing is remembered from one to the next, so that an attempt after a crash is as any other.
 */
import { randomBytes } from 'node:crypto';
import { onAbort } from '../base/abort.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { errorCode } from '../base/errors.ts';
import { pause } from '../base/retry.ts';
import type { Kind } from '../rdb/format.ts';
import type { OnConflict } from '../rdb/merge-input.ts';
import type { Target } from '../rdb/target.ts';
import { Attempts } from './attempts.ts';
import { CommandFollower } from './command-follower.ts';
import { StreamPlaceGone, StreamPlaceLost } from './errors.ts';
import type { Feed, FiniteSource } from './feed.ts';
import { type CopiedKeys, FullCopy, removeCopied } from './full-copy.ts';
import { type FirstStep, firstStep } from './next-step.ts';
import { Pace } from './pace.ts';
import { nowhere, type Place, type Position, wholeRun } from './position.ts';
import type { QueuedSource } from './queue/queued-source.ts';
import type { Rewriter } from './rewrite.ts';
import { describeSource, findSource, type SourceAddress } from './source-address.ts';
import { SourceReader } from './source-reader.ts';
import { type TargetPlace, TargetWriter } from './target-writer.ts';
import { usualHeldBytes } from './too-long.ts';

export interface StreamOptions {
  /** Names the position in the target: letters, digits, `.`, `_` and `-`. */
  id: string;
  source: SourceAddress | FiniteSource | QueuedSource;
  /** A function is asked for it at each attempt. */
  target: TargetPlace | (() => Promise<TargetPlace>);
  /** What the target can load. */
  loads: Target;
  rewriter: Rewriter;
  /** Of keys that are there when everything is copied. */
  onConflict: OnConflict;
  /** What is copied, where the target holds more than what comes from this source; else undefined. */
  copied: CopiedKeys | undefined;
  /**
   * Without `copied`: which of the target's keys are this stream's, to be removed before they are copied anew. All, if
   * omitted.
   */
  isOurs?: (key: Buffer) => boolean;
  /** What is done when the target has lost its position: copy everything, or end (STREAM_PLACE_GONE). */
  onPlaceGone?: 'copy' | 'end';
  /**
   * It goes on from the position that the target has, and ends where it can't (STREAM_PLACE_GONE, STREAM_PLACE_LOST):
   * nothing is removed or copied.
   */
  onlyFollows?: boolean;
  /** Bytes a second that are read; 0 for as much as there is. */
  maxRate: number;
  /** What an attempt is called in the position, where somebody reads that; a new name each time, if omitted. */
  naming?: RunNaming;
  /** Is waited for before more is read. */
  hold?: (signal: AbortSignal) => Promise<void>;
  /** Types of the keys that are copied; all, if omitted. */
  types?: ReadonlySet<Kind> | undefined;
  /** Bytes of a value in a copy, or of a command, that may be held: longer ones go on as they come. 8 MB, if omitted. */
  heldBytes?: number | undefined;
  clock?: Clock;
}

/** How attempts are called in a position that others read: the source hears at once of what is applied then. */
export interface RunNaming {
  /** By what is in the target now. @throws when no attempt may begin any more */
  begin(writer: TargetWriter): Promise<string>;
  /** Is asked before the target is emptied for what the source has. @throws while it is not to be */
  mayCopy(): Promise<void>;
  /** When the source has hung up, or the stream stops, and all that was read is applied. */
  ended(run: string): string;
}

/** `done`: the source had an end, and all of it is applied. */
export type StreamPhase = 'connecting' | 'removing' | 'copying' | 'following' | 'waiting' | 'done' | 'ended';

export interface StreamStatus {
  phase: StreamPhase;
  /** Where it was read from last. */
  source: string;
  /** Full copies that were begun since the process began. */
  copies: number;
  /** Of the full copy, in this attempt. */
  keys: number;
  bytes: number;
  /** Bytes of the snapshot; undefined when nobody knows, or there is none. */
  totalBytes: number | undefined;
  /** Keys that the rule for conflicts has left out of it. */
  leftOut: number;
  /** Commands applied since the process began. */
  commands: number;
  /** Everything of the source up to here is in the target; null until the copy is done. */
  applied: Place | null;
  /** As far the target says so itself, in the position that was set with what it covers last: what is not for it is not noted. */
  stored: number | null;
  attempts: number;
  /** Of a source that had an end: bytes there that are no whole command or transaction, and are left out. */
  unfinishedBytes: number;
  /** Why it waits, or is at it again; null once something was applied since. */
  problem: string | null;
}

export class Stream {
  readonly #options: StreamOptions;
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly status: StreamStatus;
  readonly #attempts = new Attempts();
  #hasBegun = false;
  #needsCopy = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#pace = new Pace(options.maxRate, this.#clock);
    this.status = {
      ...{
        phase: 'connecting',
        source: nameOf(options.source),
        copies: 0,
        keys: 0,
        bytes: 0,
        totalBytes: undefined,
        leftOut: 0,
      },
      ...{ commands: 0, applied: null, stored: null, attempts: 0, unfinishedBytes: 0, problem: null },
    };
  }

  /**
   * Returns when the signal is aborted, with everything that was read applied; or when a source that has an end is applied.
   * @throws what no later attempt could change: REPLICATION_REFUSED, REDIS_REFUSED, STREAM_CANT_CARRY, STREAM_CONFLICT,
   * STREAM_DIVERGED, STREAM_PLACE_LOST, STREAM_PLACE_GONE, STREAM_POSITION_UNREADABLE, RDB_CORRUPT and others of a snapshot.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && this.status.phase !== 'done') {
        try {
          await this.#attempt(signal);
        } catch (error) {
          if (signal.aborted) return;
          await this.#attempts.waitBehind(error, signal, () => {
            if (errorCode(error) === 'STREAM_NEEDS_COPY') this.#needsCopy = true;
            this.status.phase = 'waiting';
            this.status.problem = error instanceof Error ? error.message : String(error);
          });
        }
      }
    } finally {
      if (this.status.phase !== 'done') this.status.phase = 'ended';
    }
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { id, target } = this.#options;
    this.status.phase = 'connecting';
    this.status.attempts++;
    const place = typeof target === 'function' ? await target() : target;
    const writer = await TargetWriter.open(place, id);
    // What waits for the target, or for the source through it, ends with the connection.
    const listening = { stop: () => {} };
    try {
      await this.#carryOn(writer, signal, listening);
    } finally {
      listening.stop();
      writer.close();
    }
  }

  async #carryOn(writer: TargetWriter, signal: AbortSignal, listening: { stop(): void }): Promise<void> {
    const { naming } = this.#options;
    const run = (await naming?.begin(writer)) ?? randomBytes(8).toString('hex');
    if (writer.position?.run === wholeRun) {
      this.status.phase = 'done';
      return;
    }
    const step = this.#firstStep(writer);
    if (writer.position?.phase === 'mixed') this.#refuseIfMixed(writer.where);
    if (step.kind !== 'go-on') {
      await naming?.mayCopy();
      listening.stop = onAbort(signal, () => writer.close());
      await writer.apply(null, { phase: 'copying', run, ...nowhere });
      if (step.kind === 'begin-anew') await this.#remove(writer);
      this.#needsCopy = false;
    }
    this.#hasBegun = true;
    const source = await this.#open(step.kind === 'go-on' ? step.place : null, signal);
    try {
      if (step.kind === 'go-on' && source.snapshot !== undefined) {
        this.#refuseIfShared(step.place);
        await naming?.mayCopy();
        // The next attempt finds that, removes what is there, and copies.
        await writer.apply(null, { phase: 'copying', run, ...nowhere });
        return;
      }
      if (source.snapshot !== undefined) await this.#copy(writer, source, signal);
      if (step.kind !== 'go-on' || naming !== undefined)
        await writer.apply(null, { phase: 'streaming', run, ...source.place });
      listening.stop();
      await this.#follow(writer, source, run, signal)
        .catch((error: unknown) => this.#noteFailure(writer, run, error))
        .finally(() => this.#noteEnd(writer, run));
      if (!signal.aborted) await this.#noteWhole(writer);
    } finally {
      source.close();
    }
  }

  /** @throws STREAM_PLACE_GONE */
  #firstStep(writer: TargetWriter): FirstStep {
    const step = firstStep(writer.position);
    const { onlyFollows, onPlaceGone } = this.#options;
    if (!onlyFollows) {
      if (this.#needsCopy) return { kind: 'begin-anew' };
      if (step.kind !== 'begin' || !this.#hasBegun || onPlaceGone !== 'end') return step;
    } else if (step.kind === 'go-on') return step;
    throw StreamPlaceGone(`${writer.where} does not know any more how far the copy is`, {
      hint: 'It was emptied, has evicted that, or is another server now. What it holds is looked at before anything is copied.',
    });
  }

  async #open(place: Place | null, signal: AbortSignal): Promise<Feed> {
    const { source } = this.#options;
    if (source.kind === 'finite' || source.kind === 'queued') {
      const feed = await source.open(place, signal);
      this.status.source = source.name;
      return feed;
    }
    const found = await findSource(source);
    this.status.source = `${found.address}:${found.port}`;
    return await SourceReader.open(found, place, signal);
  }

  /** @throws STREAM_PLACE_LOST */
  #refuseIfShared({ offset }: Place): void {
    const { copied, onlyFollows } = this.#options;
    if (copied === undefined && !onlyFollows) return;
    throw StreamPlaceLost(
      `${this.status.source} can't give what follows offset ${offset} any more: its backlog does not reach back so far, or it has begun a new history`,
      {
        hint: onlyFollows
          ? 'What was applied until there is whole. Raise repl-backlog-size where it is read before the next attempt.'
          : 'The target holds data of others, so that it can’t be emptied and filled anew. Abort this migration, remove what it copied, raise repl-backlog-size at the source, and begin again.',
      },
    );
  }

  /** @throws STREAM_PLACE_LOST */
  #refuseIfMixed(where: string): void {
    if (this.#options.copied === undefined) return;
    throw StreamPlaceLost(
      `${where} holds what clients wrote there, mixed with what came from ${this.status.source}`,
      {
        hint: 'The target holds data of others, so that it can’t be emptied and filled anew. Abort this migration, remove what it copied and what was written there meanwhile, and begin again.',
      },
    );
  }

  async #remove(writer: TargetWriter): Promise<void> {
    this.status.phase = 'removing';
    const { copied, isOurs = () => true } = this.#options;
    await removeCopied(writer, copied, isOurs);
  }

  async #copy(writer: TargetWriter, source: Feed, signal: AbortSignal): Promise<void> {
    const { rewriter, loads, onConflict, copied, heldBytes, types, hold } = this.#options;
    const { status } = this;
    status.copies++;
    Object.assign(status, {
      phase: 'copying',
      keys: 0,
      bytes: 0,
      leftOut: 0,
      totalBytes: source.snapshot?.bytes,
      ...{ applied: null, stored: null },
    });
    const copy = new FullCopy(writer, {
      ...{
        rewriter,
        target: loads,
        onConflict,
        copied,
        heldBytes,
        types,
        longest: await writer.longestArgument(),
      },
      onLeftOut: (count) => {
        status.leftOut += count;
      },
      onProgress: async (keys, bytes) => {
        const wait = this.#pace.waitMs(bytes - status.bytes);
        status.keys += keys;
        status.bytes = bytes;
        if (wait > 0) await pause(wait);
        await hold?.(signal);
      },
    });
    await copy.run(source.snapshot!.data, (rest) => source.snapshotEnded(rest));
  }

  /**
   * What the others of a batch did is there, and so is the place behind it: where the target is to be as the source is, and
   * nobody looks, it is of no use until it is copied anew. @throws that error
   */
  async #noteFailure(writer: TargetWriter, run: string, error: unknown): Promise<never> {
    const isDiverged = this.#options.naming !== undefined && errorCode(error) === 'STREAM_DIVERGED';
    if (isDiverged && !writer.link.closed)
      await writer.apply(null, { phase: 'copying', run, ...nowhere }).catch(() => {});
    throw error;
  }

  /** Whoever reads the position need not ask on: no more will come of this attempt. */
  async #noteEnd(writer: TargetWriter, run: string): Promise<void> {
    const { naming } = this.#options;
    const { position } = writer;
    if (naming === undefined || position === null || writer.link.closed) return;
    await writer.apply(null, { ...position, run: naming.ended(run) }).catch(() => {});
  }

  /** The source had an end, and all of it is in the target. */
  async #noteWhole(writer: TargetWriter): Promise<void> {
    const { applied } = this.status;
    await writer.apply(null, {
      ...(writer.position as Position),
      ...applied,
      phase: 'streaming',
      run: wholeRun,
    });
    this.status.phase = 'done';
  }

  async #follow(writer: TargetWriter, source: Feed, run: string, signal: AbortSignal): Promise<void> {
    const { status } = this;
    status.phase = 'following';
    const follower = new CommandFollower(writer, source, {
      ...{ run, rewriter: this.#options.rewriter, pace: this.#pace, longest: await writer.longestArgument() },
      heldBytes: this.#options.heldBytes ?? usualHeldBytes,
      tellsAtOnce: this.#options.naming !== undefined,
      hold: async () => await this.#options.hold?.(signal),
      onApplied: (place, commands) => {
        status.applied = place;
        status.stored = writer.position?.offset ?? null;
        // From the place that the target has stored it may go on after a crash, though nothing behind it was for the target.
        if (writer.position !== null) source.noteApplied?.(writer.position.offset);
        status.commands += commands;
        status.problem = null;
        this.#attempts.noteSuccess();
      },
      onEnd: (unfinished) => {
        status.unfinishedBytes = unfinished;
      },
    });
    await follower.run(signal);
  }
}

function nameOf(source: StreamOptions['source']): string {
  return source.kind === 'finite' || source.kind === 'queued' ? source.name : describeSource(source);
}
