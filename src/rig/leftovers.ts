/** Ends what a deployment made for a drill may have left, however it ended. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { waitFor } from '../base/retry.ts';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // No /proc: the signal was taken, so it lives.
    return process.platform !== 'linux';
  }
}

export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** Processes that run in a folder, or below it: each server of a rig does. Linux only; none elsewhere. */
export function pidsIn(folder: string): number[] {
  return listPids().filter((pid) => {
    try {
      const cwd = readlinkSync(`/proc/${pid}/cwd`);
      return cwd === folder || cwd.startsWith(`${folder}/`);
    } catch {
      return false;
    }
  });
}

/** Kills these and whatever runs in the folder, and waits until all are gone. */
export async function killAllOf(folder: string, pids: readonly number[]): Promise<void> {
  const killed = new Set(pids);
  for (const pid of killed) killNow(pid);
  const gone = () => {
    // Again each time: what was about to be started when its parent was killed shows only now.
    for (const pid of pidsIn(folder)) {
      if (pid === process.pid) continue;
      killed.add(pid);
      killNow(pid);
    }
    return ![...killed].some(isAlive);
  };
  await waitFor(gone, { what: `the processes of ${folder} to end`, withinMs: 10_000 });
}

function listPids(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}
