/**
 * One child process that outlives us. It is started in a session of its own with its output in a file, so that
 * neither our death nor our terminal's Ctrl-C reaches it, and a record of who it is lies beside it, so that the
 * next agent finds and adopts it. Where the record could not be written, it is found by its log (output-owners.ts). An adopted process is not our child: the kernel tells us nothing of its death,
 * so it is looked at often, and at once when a connection to it breaks (`checkNow`).
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import { errorCode, errorText } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { ProcessFailedToStart, ProcessWouldNotStop } from './errors.ts';
import { identify, isRunning, type ProcessIdentity, signalProcess } from './identity.ts';
import type { OutputOwners } from './output-owners.ts';
import { SpareProcess } from './spare-process.ts';
import { type HeldProcess, type ProcessCommand, spawnHeld } from './spawn-held.ts';

export interface ExitReport {
  /** Null for an adopted process: only its parent learns it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface ProcessRecord extends ProcessIdentity {
  /** The server's own run_id, once known. */
  runId?: string;
}

const adoptedCheckMs = 200;

export class SupervisedProcess {
  readonly id: string;
  readonly #recordFile: string;
  readonly #logFile: string;
  #record: ProcessRecord | undefined;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #damage: string | null = null;
  #isRecorded = true;
  readonly #spare = new SpareProcess();
  #onExit: (report: ExitReport) => void = () => {};

  /**
   * @param recordFile where its identity is kept, for the next agent
   * @param logFile where its output goes
   */
  constructor(id: string, recordFile: string, logFile: string) {
    this.id = id;
    this.#recordFile = recordFile;
    this.#logFile = logFile;
  }

  get pid(): number | null {
    return this.#record?.pid ?? null;
  }

  get runId(): string | undefined {
    return this.#record?.runId;
  }

  /** That its record could not be read when it was to be adopted, as a sentence; null when it could. */
  get damage(): string | null {
    return this.#damage;
  }

  get running(): boolean {
    return this.#record !== undefined;
  }

  /** That its record could not be written yet: the next agent would have to find it by its log. */
  get isUnrecorded(): boolean {
    return this.running && !this.#isRecorded;
  }

  /** Called once for each death, whether asked for or not. */
  onExit(listener: (report: ExitReport) => void): void {
    this.#onExit = listener;
  }

  /**
   * One of which no record could be written (a full disk) runs all the same: whoever looks at it writes that later.
   * @throws PROCESS_FAILED_TO_START when the program can't be run at all. An early death is an exit like others.
   */
  async start(command: ProcessCommand): Promise<void> {
    const { child, begun, letGo } = this.#spare.take(command) ?? this.#spawn(command);
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    // Before it does anything: a process without a record is a stranger to the next agent, which finds its port taken.
    this.#isRecorded = identity !== undefined && this.#writeAtOnce(identity);
    letGo();
    await begun.catch((cause) => {
      throw this.#cannotStart(command, cause);
    });
    this.#child = child;
    this.#record = identity ?? { pid: child.pid as number, startTime: '' };
    const record = this.#record;
    child.once('exit', (code, signal) => this.#ended(record, { code, signal }));
    if (child.exitCode !== null || child.signalCode !== null) {
      this.#ended(record, { code: child.exitCode, signal: child.signalCode });
    }
  }

  /** Has one ready that `start` of the same command becomes at once, when it is one that can wait. A second call does no harm. */
  prepare(command: ProcessCommand): void {
    if (command.waitsItself === true) this.#spare.prepare(command);
  }

  /** Of what was prepared nothing is left. */
  forgetPrepared(): void {
    this.#spare.drop();
  }

  #spawn(command: ProcessCommand): HeldProcess {
    try {
      return spawnHeld(command);
    } catch (cause) {
      throw this.#cannotStart(command, cause);
    }
  }

  #cannotStart({ program }: ProcessCommand, cause: unknown): Error {
    return ProcessFailedToStart(`cannot start ${this.id} (${program}): ${errorText(cause)}`, { cause });
  }

  /**
   * Takes over the process of the record, if it still runs. @returns whether it does.
   * @param owners finds the one that no record is of, too
   */
  async adopt(owners?: OutputOwners): Promise<boolean> {
    const record = (await this.#recorded()) ?? this.#unrecorded(owners);
    if (record === undefined) return false;
    this.#record = record;
    this.#timer = setInterval(() => this.checkNow(), adoptedCheckMs).unref();
    return true;
  }

  async #recorded(): Promise<ProcessRecord | undefined> {
    const text = await readFileIfThere(this.#recordFile);
    if (text === undefined) return undefined;
    const record = recordIn(text);
    if (record === undefined) {
      // Kept for a person: nobody knows who was meant.
      await rename(this.#recordFile, `${this.#recordFile}.damaged`);
      this.#damage = `${this.#recordFile} does not say which process is ${this.id}; it is kept as ${path.basename(this.#recordFile)}.damaged`;
      return undefined;
    }
    if (isRunning(record)) return record;
    await rm(this.#recordFile, { force: true });
    return undefined;
  }

  #unrecorded(owners: OutputOwners | undefined): ProcessRecord | undefined {
    const found = owners?.of(this.#logFile);
    // Where that fails again, the next one finds it as this one did.
    if (found !== undefined) this.#isRecorded = this.#writeAtOnce(found);
    return found;
  }

  /** Lets go of a process that turned out to be another's: it is neither watched nor stopped any more. */
  async disown(): Promise<void> {
    clearInterval(this.#timer);
    this.#record = undefined;
    await rm(this.#recordFile, { force: true });
  }

  /** Notes the server's own run_id beside the pid. */
  async setRunId(runId: string): Promise<void> {
    const record = this.#record;
    if (!record || record.runId === runId) return;
    const before = record.runId;
    record.runId = runId;
    try {
      await this.#save();
    } catch (error) {
      // What is not written is noted again.
      if (before === undefined) delete record.runId;
      else record.runId = before;
      throw error;
    }
  }

  /** Writes the record that could not be written. @throws what the disk says to it. */
  async writeRecord(): Promise<void> {
    if (this.isUnrecorded) await this.#save();
  }

  /** Looks whether it still lives. Needed only for an adopted process, when something hints at its death. */
  checkNow(): void {
    const record = this.#record;
    if (record && !this.#child && !isRunning(record)) this.#ended(record, { code: null, signal: null });
  }

  signal(signal: NodeJS.Signals): boolean {
    return this.#record !== undefined && signalProcess(this.#record, signal);
  }

  /**
   * Asks it to stop, by `ask` or SIGTERM, and waits until it is gone.
   * @throws PROCESS_WOULD_NOT_STOP when it still runs after `withinMs`, and what `ask` throws of that code. It is not killed: it may be
   * saving data.
   */
  async stop(withinMs: number, ask?: () => Promise<void>): Promise<void> {
    if (!this.running) return;
    try {
      if (ask) await ask();
      else this.signal('SIGTERM');
    } catch (error) {
      // It was asked, and said that it will not: a signal asks for the same.
      if (errorCode(error) === 'PROCESS_WOULD_NOT_STOP') throw error;
      this.signal('SIGTERM');
    }
    await this.waitForExit(withinMs);
  }

  async waitForExit(withinMs: number): Promise<void> {
    const gone = () => {
      this.checkNow();
      return !this.running;
    };
    await waitFor(gone, { what: `${this.id} to stop`, withinMs, everyMs: 10 }).catch((cause) => {
      throw ProcessWouldNotStop(
        `${this.id} (pid ${this.pid}) still runs ${withinMs} ms after it was asked to stop`,
        {
          cause,
          hint: 'Look at its log. It is not killed, because it may be saving its data.',
        },
      );
    });
  }

  #ended(record: ProcessRecord, report: ExitReport): void {
    if (this.#record !== record) return;
    clearInterval(this.#timer);
    this.#record = undefined;
    this.#child = undefined;
    // At once, so that it can't take away the record of the process that follows.
    rmSync(this.#recordFile, { force: true });
    this.#onExit(report);
  }

  /** Not synced to disk: a power cut ends the process too. @returns whether it could be written. */
  #writeAtOnce(identity: ProcessIdentity): boolean {
    try {
      // Whole or not at all: this process may be killed here, and the next one reads it.
      const fresh = `${this.#recordFile}.new`;
      writeFileSync(fresh, `${JSON.stringify(identity)}\n`, { mode: 0o600 });
      renameSync(fresh, this.#recordFile);
      return true;
    } catch {
      // `writeRecord` says what is wrong.
      return false;
    }
  }

  /** Writes the record of whoever runs now; of one that ended meanwhile nothing may be left. */
  async #save(): Promise<void> {
    for (;;) {
      const record = this.#record;
      if (record === undefined) return rm(this.#recordFile, { force: true });
      await writeFileAtomic(this.#recordFile, `${JSON.stringify(record)}\n`);
      if (this.#record === record) {
        this.#isRecorded = true;
        return;
      }
    }
  }
}

/** Undefined for half a record, which a power cut may leave: it ended the process too. */
function recordIn(text: string): ProcessRecord | undefined {
  try {
    const { pid, startTime, ...more } = JSON.parse(text) as Partial<ProcessRecord>;
    return Number.isInteger(pid) && typeof startTime === 'string'
      ? { ...more, pid: pid!, startTime }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Who runs by a record, if that one lives; undefined for nobody. */
export function recordedPid(recordFile: string): number | undefined {
  try {
    const record = recordIn(readFileSync(recordFile, 'utf8'));
    return record !== undefined && isRunning(record) ? record.pid : undefined;
  } catch {
    // There is none.
    return undefined;
  }
}

/** The last lines of a log, for an error message; empty when there is none. */
export function lastLogLines(file: string, count: number): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
  } catch {
    return [];
  }
}
