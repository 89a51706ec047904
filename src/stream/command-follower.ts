/**
 * Reads a source's commands and applies them, batch behind batch. What arrives while a batch is under way makes up the
 * next, so batches are as large as the load is. When the next is full, nothing more is read: the source waits.
 */
import { pause } from '../base/retry.ts';
import { ReplyError } from '../resp/read.ts';
import { Assembler, type Batch } from './assembler.ts';
import { StreamDiverged } from './errors.ts';
import type { Pace } from './pace.ts';
import type { Place } from './position.ts';
import type { Rewriter } from './rewrite.ts';
import type { SourceReader } from './source-reader.ts';
import type { TargetWriter } from './target-writer.ts';

export interface FollowOptions {
  run: string;
  rewriter: Rewriter;
  pace: Pace;
  /** Bytes of the longest argument that the target takes. */
  longest: number;
  /** Everything up to there is in the target. */
  onApplied(place: Place, commands: number): void;
}

const tellEveryMs = 1000;
const finishWithinMs = 5000;

class Stopped extends Error {}

export class CommandFollower {
  readonly #writer: TargetWriter;
  readonly #source: SourceReader;
  readonly #options: FollowOptions;
  readonly #assembler: Assembler;
  #underWay: Promise<void> | undefined;
  #failure: unknown;
  #applied: Place;

  constructor(writer: TargetWriter, source: SourceReader, options: FollowOptions) {
    this.#writer = writer;
    this.#source = source;
    this.#options = options;
    this.#assembler = new Assembler(source.place, options.rewriter, { longest: options.longest });
    this.#applied = source.place;
  }

  /** Until the signal is aborted, with what was read until then applied. @throws what the source and the target throw */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#source.fail(new Stopped());
    const timer = setInterval(() => this.#tick(), tellEveryMs);
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (signal.aborted) return;
      this.#options.onApplied(this.#applied, 0);
      this.#source.acknowledge(this.#applied.offset);
      for await (const chunk of this.#source.commands()) await this.#take(chunk);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      await this.#finish();
    } finally {
      signal.removeEventListener('abort', stop);
      clearInterval(timer);
    }
  }

  /** What was read is applied; a target that hangs does not keep us. */
  async #finish(): Promise<void> {
    const timer = setTimeout(() => this.#writer.close(), finishWithinMs);
    try {
      await this.#underWay;
      if (this.#failure === undefined) await this.#apply();
    } finally {
      clearTimeout(timer);
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    const waitMs = this.#options.pace.waitMs(chunk.length);
    this.#assembler.add(chunk);
    while (this.#assembler.isFull()) {
      await this.#underWay;
      if (this.#failure !== undefined) throw this.#failure;
      this.#begin();
    }
    this.#begin();
    if (this.#assembler.isAsked) this.#tell();
    if (waitMs > 0) await pause(waitMs);
  }

  /** Sends what there is, unless something is under way: then it goes out behind that. */
  #begin(): void {
    if (this.#underWay !== undefined) return;
    if (this.#assembler.hasCommands) this.#send();
    else this.#noteMoved();
  }

  #send(): void {
    this.#underWay = this.#apply().then(
      () => {
        this.#underWay = undefined;
        this.#begin();
      },
      // Whoever reads the source learns of it.
      (error) => {
        this.#failure = error;
        this.#source.fail(error);
      },
    );
  }

  /** Commands that are none of the target's move the place, too. */
  #noteMoved(): void {
    const place = this.#assembler.wholePlace;
    if (place.offset === this.#applied.offset) return;
    this.#applied = place;
    this.#options.onApplied(place, 0);
  }

  async #apply(): Promise<void> {
    const batch = this.#assembler.take();
    if (batch === undefined) return;
    const { run, onApplied } = this.#options;
    const { bytes, commands, db, place } = batch;
    const results = await this.#writer.apply(
      { pieces: [bytes], commands, db },
      { phase: 'streaming', run, ...place },
    );
    const failed = results.find((result) => result instanceof ReplyError);
    if (failed !== undefined) throw diverged(failed, batch);
    this.#applied = batch.place;
    onApplied(batch.place, batch.commands);
  }

  #tick(): void {
    this.#tell();
    // So that little is read again behind a crash, also when nothing of it was for the target.
    const { offset } = this.#assembler.wholePlace;
    if (this.#underWay === undefined && this.#writer.position?.offset !== offset) this.#send();
  }

  #tell(): void {
    this.#assembler.isAsked = false;
    this.#source.acknowledge(this.#applied.offset);
  }
}

function diverged(error: ReplyError, { place }: Batch): Error {
  return StreamDiverged(
    `a command that the source had executed was refused by the target, before offset ${place.offset}: ${error.text}`,
    {
      hint: 'Something else writes to the same keys of the target, or it is of an older release. Verify shows what differs.',
    },
  );
}
