/**
 * Starts a program that outlives us, in a session of its own, with its output in a file, and holds it back until it is let
 * go: a shell waits for a word on a pipe, and becomes the program then. When we are killed before that the pipe ends, and
 * so does the shell. So who is started can be written down before it does anything, and nobody runs of whom nothing is
 * known, wherever we are ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { heldDescriptor, heldVariable } from '../base/let-go.ts';

export interface ProcessCommand {
  program: string;
  args: string[];
  /** Where it runs, and where it may write. */
  cwd: string;
  /** Its stdout and stderr are appended here. */
  logFile: string;
  env?: NodeJS.ProcessEnv;
  /** The program can wait itself, once it has loaded (base/let-go.ts): it may be started before it is needed. */
  waitsItself?: boolean;
}

export interface HeldProcess {
  child: ChildProcess;
  /** Whether it could be started at all. Rejects with what the kernel says. */
  begun: Promise<void>;
  /** Lets it become the program. Its pid stays. */
  letGo(): void;
}

const waitingShell = 'read -r word <&3 && exec 3<&- && exec "$@"';

/** @throws Error when the program is not there, or can't be run. */
export function spawnHeld(command: ProcessCommand): HeldProcess {
  const { program, args, env } = command;
  return spawnWaiting(command, '/bin/sh', ['-c', waitingShell, 'sh', program, ...args], env ?? process.env);
}

/** Likewise, of one that `waitsItself`: let go, it begins at once, because it has loaded before. */
export function spawnLoaded(command: ProcessCommand): HeldProcess {
  const env = { ...(command.env ?? process.env), [heldVariable]: '1' };
  return spawnWaiting(command, command.program, command.args, env);
}

function spawnWaiting(
  { program, cwd, logFile }: ProcessCommand,
  file: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): HeldProcess {
  if (program.includes('/')) accessSync(program, constants.X_OK);
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', log, log, 'pipe'] });
    const pipe = child.stdio[heldDescriptor] as Socket | undefined;
    // It may be killed while it waits, and who holds it may end meanwhile.
    pipe?.on('error', () => {}).unref();
    const begun = new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    begun.catch(() => {});
    child.unref();
    return { child, begun, letGo: () => void pipe?.end('go\n') };
  } finally {
    closeSync(log);
  }
}
