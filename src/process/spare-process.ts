import { statSync } from 'node:fs';
import { type HeldProcess, type ProcessCommand, spawnLoaded } from './spawn-held.ts';

interface Spare extends HeldProcess {
  /** The whole command, to be compared. */
  of: string;
  /** What its output goes to: a log that was set aside meanwhile would be written to on. */
  log: number;
}

/** At most one process that has loaded and waits to be needed. It ends when we do. */
export class SpareProcess {
  #spare: Spare | undefined;

  get pid(): number | null {
    return this.#spare?.child.pid ?? null;
  }

  /** @param command of a program that waits itself. A spare that can't be started is none: who needs it starts another way, and is told why. */
  prepare(command: ProcessCommand): void {
    if (this.#spare?.of === keyOf(command) && isSameLog(this.#spare, command)) return;
    this.drop();
    try {
      const spare = { ...spawnLoaded(command), of: keyOf(command), log: inodeOf(command.logFile) };
      const forget = () => {
        if (this.#spare === spare) this.#spare = undefined;
      };
      spare.child.once('exit', forget).once('error', forget);
      this.#spare = spare;
    } catch {
      this.#spare = undefined;
    }
  }

  /** @returns the one that was prepared for this very command, if it lives; it is the caller's from then on. */
  take(command: ProcessCommand): HeldProcess | undefined {
    const spare = this.#spare;
    if (spare === undefined || spare.of !== keyOf(command) || !isSameLog(spare, command)) return undefined;
    this.#spare = undefined;
    // Somebody may have stopped it, and nobody looked.
    spare.child.kill('SIGCONT');
    return spare;
  }

  drop(): void {
    this.#spare?.child.kill('SIGKILL');
    this.#spare = undefined;
  }
}

const keyOf = (command: ProcessCommand) => JSON.stringify(command);

const isSameLog = ({ log }: Spare, { logFile }: ProcessCommand) => log === inodeOf(logFile);

/** 0 where it is not there. */
function inodeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.ino ?? 0;
}
