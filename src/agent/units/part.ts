import type { Clock } from '../../base/clock.ts';
import type { ProcessStat } from '../../process/stat.ts';
import { type ProcessCommand, SupervisedProcess } from '../../process/supervised-process.ts';
import { type ActivityTrack, noTrack, stepActivity } from '../../topology/activity.ts';
import type { ProcessView } from '../../topology/view.ts';
import { Silence } from '../observe/silence.ts';
import type { PartPaths } from '../state/paths.ts';

/** One process that this agent is responsible for, with the history that its restart budget needs. */
export class Part {
  readonly id: string;
  readonly paths: PartPaths;
  readonly process: SupervisedProcess;
  /** It is meant to run: false before the first start and once it is stopped on purpose. */
  wanted = false;
  failed = false;
  refusal: string | null = null;
  damage: string | null = null;
  noRoom: string | null = null;
  #diedAtMs: number | null = null;
  #ran = false;
  #restartsMs: number[] = [];
  #track: ActivityTrack = noTrack;
  readonly #clock: Clock;
  readonly #silence: Silence;

  constructor(id: string, paths: PartPaths, clock: Clock) {
    this.id = id;
    this.paths = paths;
    this.process = new SupervisedProcess(id, paths.record);
    this.#clock = clock;
    this.#silence = new Silence(clock);
  }

  get view(): ProcessView {
    const { running, pid } = this.process;
    return {
      running,
      pid,
      diedAtMs: running || !this.wanted ? null : this.#diedAtMs,
      restartsMs: this.#restartsMs,
      failed: this.failed,
      refusal: this.refusal,
      activity: this.#track.now,
      silentMs: running ? this.#silence.silentMs : 0,
      damage: this.damage,
      noRoom: this.noRoom,
    };
  }

  /** @param stat what the kernel says of it now; undefined when it says nothing. */
  noteActivity(stat: ProcessStat | undefined): void {
    const sample = stat === undefined ? null : { ...stat, atMs: this.#clock.monotonicMs() };
    this.#track = stepActivity(this.#track, sample);
  }

  /** Notes whether it answered when it was last asked. */
  heard(answered: boolean): void {
    if (answered) this.#silence.answered();
    else this.#silence.missed();
  }

  get restarts(): number {
    return this.#restartsMs.length;
  }

  /** To be called when the process died, before anything decides about it. */
  noteDeath(): void {
    this.#diedAtMs = this.#clock.monotonicMs();
  }

  async start(command: ProcessCommand): Promise<void> {
    this.wanted = true;
    this.#ran = true;
    this.refusal = null;
    this.damage = null;
    // A start that fails counts as a death, so that it is tried again by the same rules.
    this.#diedAtMs = this.#clock.monotonicMs();
    this.#track = noTrack;
    this.#silence.answered();
    await this.process.start(command);
  }

  /** A first start in this agent's life is no restart. */
  async restart(command: ProcessCommand): Promise<void> {
    if (this.#ran) this.#restartsMs.push(this.#clock.monotonicMs());
    await this.start(command);
  }

  /**
   * Takes over the process that an earlier agent started, if it still runs. One that doesn't counts as having died
   * just now: whoever doesn't start it leaves it to the loop's rules. @returns whether it runs.
   */
  async adopt(): Promise<boolean> {
    const alive = this.process.running || (await this.process.adopt());
    this.wanted = true;
    if (alive) this.#ran = true;
    else this.noteDeath();
    return alive;
  }

  /** A person acted: the budget starts anew. */
  forgive(): void {
    this.failed = false;
    this.refusal = null;
    this.#restartsMs = [];
  }
}
