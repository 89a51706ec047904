/**
 * Reads a source's commands and applies them, batch behind batch. What arrives while a batch is under way makes up the
 * next, so batches are as large as the load is. When the next is full, nothing more is read: the source waits.
 */
import { onAbort } from '../base/abort.ts';
import { pause } from '../base/retry.ts';
import { ReplyError } from '../resp/read.ts';
import { Assembler, type LongCommand } from './assembler.ts';
import type { CommandRest } from './command-rest.ts';
import { StreamDiverged } from './errors.ts';
import type { Feed } from './feed.ts';
import type { Pace } from './pace.ts';
import type { Place } from './position.ts';
import type { Rewriter } from './rewrite.ts';
import type { LongWrite, TargetWriter } from './target-writer.ts';

export interface FollowOptions {
  run: string;
  rewriter: Rewriter;
  pace: Pace;
  /** Bytes of the longest argument that the target takes. */
  longest: number;
  /** Bytes of a command that may be held. */
  heldBytes: number;
  /** The source hears at once of all that is applied, and not only every second: somebody waits for that. */
  tellsAtOnce: boolean;
  /** Is waited for before more is read. @throws when it was stopped */
  hold(): Promise<void>;
  /** Everything up to there is in the target. */
  onApplied(place: Place, commands: number): void;
  /** The source was at its end. @param unfinished bytes there that are no whole command, or of no whole transaction */
  onEnd(unfinished: number): void;
}

interface LongUnderWay {
  /** Undefined when it is left out. */
  write: LongWrite | undefined;
  rest: CommandRest;
  /** How many have come. */
  bytes: number;
}

const tellEveryMs = 1000;
const finishWithinMs = 5000;
/** What moves the place by itself, and is for nobody, is followed by something mostly. */
const noteMoveMs = 5;

class Stopped extends Error {}

export class CommandFollower {
  readonly #writer: TargetWriter;
  readonly #source: Feed;
  readonly #options: FollowOptions;
  readonly #assembler: Assembler;
  #underWay: Promise<void> | undefined;
  #failure: unknown;
  #applied: Place;
  /** The command that is passed on as it comes. */
  #long: LongUnderWay | undefined;
  /** Nothing is sent by the clock. */
  #isBusy = false;
  #moving: NodeJS.Timeout | undefined;

  constructor(writer: TargetWriter, source: Feed, options: FollowOptions) {
    this.#writer = writer;
    this.#source = source;
    this.#options = options;
    this.#assembler = new Assembler(source.place, options.rewriter, { longest: options.longest });
    this.#applied = source.place;
  }

  /**
   * Until the signal is aborted, or the source is at its end, with what was read until then applied. What is not whole at
   * the end, a command or a transaction, is not applied.
   * @throws what the source and the target throw
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#source.fail(new Stopped());
    const timer = setInterval(() => this.#tick(), tellEveryMs);
    const stopListening = onAbort(signal, stop);
    try {
      if (signal.aborted) return;
      this.#options.onApplied(this.#applied, 0);
      this.#source.acknowledge(this.#applied.offset);
      for await (const chunk of this.#source.commands()) await this.#take(chunk);
      await this.#applyAll();
      this.#options.onEnd(this.#long === undefined ? this.#assembler.unfinishedBytes : this.#long.bytes);
    } catch (error) {
      if (error instanceof Stopped) return await this.#finish();
      // A source that hung up may be gone for good: what it had sent is not read a second time.
      if (this.#failure === undefined) await this.#finish().catch(() => {});
      throw error;
    } finally {
      stopListening();
      clearInterval(timer);
      clearTimeout(this.#moving);
    }
  }

  /** What was read is applied; a target that hangs does not keep us. */
  async #finish(): Promise<void> {
    // Of a command that has come in part nothing is executed: it is asked for again.
    if (this.#long !== undefined) return this.#writer.close();
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
    const rest = this.#long === undefined ? chunk : await this.#passOn(this.#long, chunk);
    if (rest.length > 0) await this.#assemble(rest);
    if (this.#assembler.isAsked) this.#tell();
    if (waitMs > 0) await pause(waitMs);
    await this.#options.hold().catch((error: unknown) => {
      // Whoever stopped it has told the source so, too.
      this.#source.fail(error);
    });
  }

  async #assemble(chunk: Buffer): Promise<void> {
    this.#assembler.add(chunk);
    while (this.#assembler.isFull()) {
      await this.#underWay;
      if (this.#failure !== undefined) throw this.#failure;
      this.#begin();
    }
    const long = this.#assembler.longCommand(this.#options.heldBytes);
    if (long === undefined) this.#begin();
    else await this.#beginLong(long);
  }

  /** What came before it is applied, then it goes out as it comes. */
  async #beginLong({ db, bytes: about }: LongCommand): Promise<void> {
    await this.#applyAll();
    const { bytes, rest } = this.#assembler.takeLong();
    const write = db === undefined ? undefined : this.#writer.beginLong(db, about);
    this.#long = { write, rest, bytes: bytes.length };
    await write?.push(bytes);
  }

  /** @returns what stands behind the command */
  async #passOn(long: LongUnderWay, chunk: Buffer): Promise<Buffer> {
    const taken = long.rest.take(chunk);
    long.bytes += taken;
    if (taken > 0) await long.write?.push(chunk.subarray(0, taken));
    if (!long.rest.isWhole) return chunk.subarray(taken);
    const assembler = this.#assembler;
    assembler.longApplied(long.bytes);
    const place = assembler.wholePlace;
    const result = await long.write?.end({ phase: 'streaming', run: this.#options.run, ...place });
    if (result instanceof ReplyError) throw diverged(result, place);
    this.#long = undefined;
    this.#isBusy = false;
    this.#applied = place;
    this.#options.onApplied(place, long.write === undefined ? 0 : 1);
    if (this.#options.tellsAtOnce) this.#tell();
    return chunk.subarray(taken);
  }

  /** Everything that came, and nothing is sent behind it by the clock. */
  async #applyAll(): Promise<void> {
    this.#isBusy = true;
    // A batch that failed stays under way.
    while (this.#underWay !== undefined && this.#failure === undefined) await this.#underWay;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#apply();
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
    if (this.#options.tellsAtOnce) this.#moving ??= setTimeout(() => this.#noteMove(), noteMoveMs);
  }

  /** Whoever reads the position compares it with the source's, which counts more than commands. */
  #noteMove(): void {
    this.#moving = undefined;
    this.#sendMove();
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
    if (failed !== undefined) throw diverged(failed, place);
    this.#applied = batch.place;
    onApplied(batch.place, batch.commands);
    if (this.#options.tellsAtOnce) this.#tell();
  }

  #tick(): void {
    this.#tell();
    // So that little is read again behind a crash, also when nothing of it was for the target.
    this.#sendMove();
  }

  #sendMove(): void {
    const { offset } = this.#assembler.wholePlace;
    if (!this.#isBusy && this.#underWay === undefined && this.#writer.position?.offset !== offset)
      this.#send();
  }

  #tell(): void {
    this.#assembler.isAsked = false;
    this.#source.acknowledge(this.#applied.offset);
  }
}

function diverged(error: ReplyError, place: Place): Error {
  return StreamDiverged(
    `a command that the source had executed was refused by the target, before offset ${place.offset}: ${error.text}`,
    {
      hint: 'Something else writes to the same keys of the target, or it is of an older release. Verify shows what differs.',
    },
  );
}
