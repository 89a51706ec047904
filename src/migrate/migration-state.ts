/** What a migration is at, and the one who writes it: what whoever takes it up must know is there before anybody relies on it. */
import { errorToJson } from '../base/error-wire.ts';
import { errorText } from '../base/errors.ts';
import type { OldSide } from './back/old-side.ts';
import { CutOverNotNow } from './errors.ts';
import type { FollowedSource } from './followed-source.ts';
import { FrontGates } from './front-gates.ts';
import type { MigrationPaths } from './plan.ts';
import { type Phase, type Progress, writeProgress } from './progress.ts';

export interface StateOptions {
  paths: MigrationPaths;
  runs: readonly FollowedSource[];
  old: OldSide;
  /** @param unwritten why the state directory does not have it; null when it does */
  onProgress(progress: Progress, unwritten: string | null): void;
}

export interface At {
  phase: Phase;
  /** Under way: see `Progress`. */
  change: Progress['change'];
  gates: FrontGates;
  /** Clients of a gate are at the new side: the cut-over holds, whatever becomes of the gates. */
  isMoved: boolean;
  /** Why a gate has not taken its clients along, for each. */
  notMoved: string[];
}

export class MigrationState {
  readonly #options: StateOptions;
  #at: At = {
    ...{ phase: 'running', change: null, gates: new FrontGates([]), isMoved: false, notMoved: [] },
  };
  #isTakenUp = false;
  #isForgotten = false;
  /** What ended its process. */
  failure: unknown = null;

  constructor(options: StateOptions) {
    this.#options = options;
  }

  get phase(): Phase {
    return this.#at.phase;
  }

  get change(): Progress['change'] {
    return this.#at.change;
  }

  get gates(): FrontGates {
    return this.#at.gates;
  }

  get isMoved(): boolean {
    return this.#at.isMoved;
  }

  /** What another process left is known, and gone on with: until then its progress says what holds, and is not written over. */
  get isTakenUp(): boolean {
    return this.#isTakenUp;
  }

  /** Written at the next `tell`. */
  set(at: Partial<At>): void {
    this.#at = { ...this.#at, ...at };
  }

  takeUp(at: Partial<At>): void {
    this.set(at);
    this.#isTakenUp = true;
  }

  /** What was finished or aborted leaves none. */
  forget(): void {
    this.#isForgotten = true;
  }

  /** @throws CUT_OVER_NOT_NOW when it can't be written, and then nothing is different */
  async become(at: Partial<At>): Promise<void> {
    const before = this.#at;
    this.set(at);
    try {
      await this.#write();
    } catch (cause) {
      this.#at = before;
      throw CutOverNotNow(`the change can't be noted in ${this.#options.paths.root}: ${errorText(cause)}`, {
        hint: 'Writers are where they were. Make room there, and try again; holdfast migrate abort needs none.',
        cause,
      });
    }
  }

  /** Gates say themselves where their clients are; without, those who write there directly may from here on. @throws as `become` */
  async noteTurn(): Promise<void> {
    const phase = this.gates.sockets.length === 0 ? 'running' : 'cut-over';
    await this.become({ phase, isMoved: false });
  }

  /** @throws CUT_OVER_NOT_NOW */
  refuseUnlessCutOver(): void {
    if (this.phase === 'cut-over') return;
    throw CutOverNotNow(`this migration is ${this.phase}: there was no cut-over`, {
      hint: 'holdfast migrate cutover makes it; holdfast migrate abort gives the migration up.',
    });
  }

  /** A disk that is full ends nothing: it is written when there is room again. Until then whoever asks reads what was known. */
  async tell(): Promise<void> {
    if (!this.#isTakenUp || this.#isForgotten) return;
    const unwritten = await this.#write().then(() => null, errorText);
    this.#options.onProgress(this.#progress(), unwritten);
  }

  /** The last word of this process. */
  async leave(): Promise<void> {
    if (this.#isTakenUp && !this.#isForgotten) await this.#write().catch(() => {});
  }

  async #write(): Promise<void> {
    await writeProgress(this.#options.paths, this.#progress());
  }

  #progress(): Progress {
    const { runs, old } = this.#options;
    const { phase, change, gates, isMoved, notMoved } = this.#at;
    const failure = this.failure === null ? null : errorToJson(this.failure);
    return {
      ...{ version: 1, phase, pid: process.pid, writtenMs: Date.now() },
      failure: failure && { code: failure.code, message: failure.message, hint: failure.hint ?? null },
      ...{ change, gates: gates.sockets, isMoved, notMoved },
      sources: runs.map((run) => {
        const { problem, ...source } = run.progress();
        return { ...source, problem: old.problem ?? problem };
      }),
      ...old.progress,
    };
  }
}
