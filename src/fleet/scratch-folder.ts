/**
 * Folders on this machine that live for one command: shared connections, what is packed for the hosts. Removed at its end,
 * by Ctrl-C and the signals that end a command too; what a `kill -9` leaves is removed by the next command, which knows by
 * the pid in the name that nobody uses it.
 */
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { errorCode } from '../base/errors.ts';

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const open = new Set<string>();

export type ScratchKind = 'ssh' | 'bundle';

/** A new folder that only this user can enter. Short: it holds sockets, whose paths may have 107 bytes. */
export function makeScratch(kind: ScratchKind): string {
  const base = process.env['XDG_RUNTIME_DIR'] || '/tmp';
  // What is packed has 100 MB and more: XDG_RUNTIME_DIR is in memory.
  const parent = kind === 'ssh' ? base : '/tmp';
  sweep(parent);
  const folder = mkdtempSync(path.join(parent, `holdfast-${kind}-${process.pid}-`));
  if (open.size === 0) {
    process.on('exit', removeAll);
    for (const name of Object.keys(signals)) process.on(name, endBySignal);
  }
  open.add(folder);
  return folder;
}

export function removeScratch(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  open.delete(folder);
  if (open.size > 0) return;
  process.off('exit', removeAll);
  for (const name of Object.keys(signals)) process.off(name, endBySignal);
}

function removeAll(): void {
  for (const folder of open) removeScratch(folder);
}

/** Unless somebody else listens: who has a word to say about what was begun ends this process itself. */
function endBySignal(name: NodeJS.Signals): void {
  if (process.listenerCount(name) === 1) process.exit(signals[name as keyof typeof signals]);
}

/** Only this user's own, of commands that are gone. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^holdfast-(?:ssh|bundle)-(\d+)-\w{6}$/.exec(name)?.[1];
    if (pid === undefined || isThere(Number(pid))) continue;
    const folder = path.join(parent, name);
    try {
      if (lstatSync(folder).uid === process.getuid?.()) rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      // Two commands that sweep at once.
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
