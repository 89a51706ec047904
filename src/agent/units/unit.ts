import type { Clock } from '../../base/clock.ts';
import type { OutputOwners } from '../../process/output-owners.ts';
import type { ProcessCommand } from '../../process/spawn-held.ts';
import type { ProcessStat } from '../../process/stat.ts';
import { SupervisedProcess } from '../../process/supervised-process.ts';
import { type ActivityTrack, isCalm, noTrack, stepActivity } from '../../topology/activity.ts';
import type { ProcessView, Refusal } from '../../topology/view.ts';
import { Silence } from '../observe/silence.ts';
import type { UnitPaths } from '../state/paths.ts';

/** The kernel has seen to it by then, or waits for a disk. */
const killedWithinMs = 5000;

/** A unit: one process that this agent is responsible for, with the history that its restart budget needs. */
export class Unit {
  readonly id: string;
  readonly paths: UnitPaths;
  readonly process: SupervisedProcess;
  #wanted = false;
  #failed = false;
  #refusal: Refusal | null = null;
  #damage: string | null = null;
  #noRoom: string | null = null;
  #diedAtMs: number | null = null;
  #ran = false;
  /** A start that is under way: whoever looks meanwhile sees neither a death nor a process. */
  #starting: Promise<void> | null = null;
  #answered = false;
  #startedHere = false;
  /** This process was killed by us, and may not have ended yet. */
  #killed = false;
  #restartsMs: number[] = [];
  #track: ActivityTrack = noTrack;
  readonly #clock: Clock;
  readonly #silence: Silence;

  constructor(id: string, paths: UnitPaths, clock: Clock) {
    this.id = id;
    this.paths = paths;
    this.process = new SupervisedProcess(id, paths.record, paths.log);
    this.#clock = clock;
    this.#silence = new Silence(clock);
  }

  /** It is meant to run: false before the first start and once it is stopped on purpose. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Its restarts are used up: it stays down until a person acts. */
  get failed(): boolean {
    return this.#failed;
  }

  /**
   * It runs, and was not killed. Whoever was killed executes nothing any more, though it may take long to end: while it waits
   * for a disk that does not answer, it does not.
   */
  get lives(): boolean {
    return this.process.running && !this.#killed;
  }

  /** What its log said when it died because it could not load its files, or null. */
  get damage(): string | null {
    return this.#damage;
  }

  get view(): ProcessView {
    const { pid } = this.process;
    const running = this.lives;
    return {
      running,
      ending: this.process.running && this.#killed,
      pid,
      diedAtMs: running || !this.#wanted || this.#starting !== null ? null : this.#diedAtMs,
      restartsMs: this.#restartsMs,
      failed: this.#failed,
      refusal: this.#refusal,
      activity: this.#track.now,
      startedHere: running && this.#startedHere,
      silentMs: running ? this.#silence.silentMs : 0,
      answered: this.#answered,
      damage: this.#damage,
      noRoom: this.#noRoom,
    };
  }

  /** It was stopped by a signal when it was last looked at, or waited for a disk. */
  get standsStill(): boolean {
    const { stoppedMs, waitingMs } = this.#track.now;
    return stoppedMs > 0 || waitingMs > 0;
  }

  get isStopped(): boolean {
    return this.#track.now.stoppedMs > 0;
  }

  /** When it was last looked at it was neither stopped nor waited, and did not compute without a break. */
  get isCalm(): boolean {
    return isCalm(this.#track);
  }

  /** @param stat what the kernel says of it now; undefined when it says nothing. */
  noteActivity(stat: ProcessStat | undefined): void {
    const sample = stat === undefined ? null : { ...stat, atMs: this.#clock.monotonicMs() };
    this.#track = stepActivity(this.#track, sample);
  }

  /** Notes whether it answered when it was last asked. */
  heard(answered: boolean): void {
    this.#answered ||= answered;
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

  /** Ends it without asking it. It counts as dead from then on. */
  kill(): void {
    if (!this.lives || !this.process.signal('SIGKILL')) return;
    this.#killed = true;
    this.noteDeath();
  }

  /** One that runs, or that somebody starts already, is not started twice. */
  async start(command: ProcessCommand): Promise<void> {
    if (this.process.running) return;
    this.#starting ??= this.#begin(command).finally(() => {
      this.#starting = null;
    });
    await this.#starting;
  }

  async #begin(command: ProcessCommand): Promise<void> {
    this.#wanted = true;
    this.#ran = true;
    this.#answered = false;
    this.#refusal = null;
    this.#damage = null;
    // A start that fails counts as a death, so that it is tried again by the same rules.
    this.#diedAtMs = this.#clock.monotonicMs();
    this.#startedHere = true;
    this.#track = noTrack;
    this.#killed = false;
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
   * @param owners finds one that no record is of, too
   */
  async adopt(owners?: OutputOwners): Promise<boolean> {
    const alive = this.process.running || (await this.process.adopt(owners));
    this.#wanted = true;
    if (alive) this.#ran = true;
    else this.noteDeath();
    return alive;
  }

  /**
   * Stops it on purpose: from now on it is not meant to run. @param ask asks it to end, instead of SIGTERM.
   * @throws PROCESS_WOULD_NOT_STOP; it is meant to run as before, and started again should it end after all.
   */
  async stop(withinMs: number, ask?: () => Promise<void>): Promise<void> {
    // What is being started could not be stopped yet.
    if (this.#starting !== null) await this.#starting.catch(() => {});
    const { wanted } = this;
    this.#wanted = false;
    this.process.forgetPrepared();
    if (!this.process.running) return;
    // A stopped process can't end: SIGCONT does nothing to the others.
    this.process.signal('SIGCONT');
    try {
      await this.process.stop(withinMs, ask);
    } catch (error) {
      if (wanted) this.wantAgain();
      throw error;
    }
  }

  /** Stops a process that has nothing to save: who still runs then is killed. @returns whether it was. */
  async end(withinMs: number): Promise<boolean> {
    try {
      await this.stop(withinMs);
      return false;
    } catch {
      this.#wanted = false;
      this.kill();
      await this.process.waitForExit(killedWithinMs);
      return true;
    }
  }

  /** What it was stopped for did not come to pass. One that ended counts as having died just now. */
  wantAgain(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    if (!this.process.running) this.noteDeath();
  }

  /** It is not to be started, for this reason, until something else is called for or a person acts. */
  refuse(refusal: Refusal): void {
    this.#refusal = refusal;
  }

  /** It died too often: nothing more is tried until a person acts. */
  giveUp(): void {
    this.#failed = true;
  }

  /** @param damage what its log said when it died, or null when that was not for its files. */
  noteDamage(damage: string | null): void {
    this.#damage = damage;
  }

  /** @param noRoom that its disk is full, as a sentence, or null. @returns whether that is news. */
  noteNoRoom(noRoom: string | null): boolean {
    const isNews = noRoom !== null && this.#noRoom === null;
    this.#noRoom = noRoom;
    return isNews;
  }

  /** A person acted: the budget starts anew. */
  forgive(): void {
    this.#failed = false;
    this.#refusal = null;
    this.#restartsMs = [];
  }
}
