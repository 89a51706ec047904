/**
 * Starts a program that outlives us, in a session of its own, with its output in a file, and holds it back until it is let
 * go: a shell waits for a word on a pipe, and becomes the program then. When we are killed before that the pipe ends, and
 * so does the shell. So who is started can be written down before it does anything, and nobody runs of whom nothing is
 * known, wherever we are ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import type { Writable } from 'node:stream';

export interface ProcessCommand {
  program: string;
  args: string[];
  /** Where it runs, and where it may write. */
  cwd: string;
  /** Its stdout and stderr are appended here. */
  logFile: string;
  env?: NodeJS.ProcessEnv;
}

export interface HeldProcess {
  child: ChildProcess;
  /** Lets it become the program. Its pid stays. */
  letGo(): void;
}

const waitingShell = 'read -r word <&3 && exec 3<&- && exec "$@"';

/** @throws Error when the program is not there, or can't be run. */
export function spawnHeld({ program, args, cwd, logFile, env }: ProcessCommand): HeldProcess {
  if (program.includes('/')) accessSync(program, constants.X_OK);
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn('/bin/sh', ['-c', waitingShell, 'sh', program, ...args], {
      cwd,
      env: env ?? process.env,
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
    const pipe = child.stdio[3] as Writable | undefined;
    // It may be killed while it waits.
    pipe?.on('error', () => {});
    return { child, letGo: () => void pipe?.end('go\n') };
  } finally {
    closeSync(log);
  }
}
