/**
 * Who writes to which log: evidence of a process of ours when there is no record of it, because the disk was full when it
 * was started. Each process of ours leads a session of its own and has its unit's log as its standard output
 * (spawn-held.ts); what it starts itself has that too, but leads no session. Nobody else has that file: it lies in a folder
 * that only its owner reads. A log that was set aside keeps its writers.
 * Source: proc(5), /proc/PID/fd/1 links to the file, with ` (deleted)` behind it once that is gone. Elsewhere nobody is found.
 */
import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { identify, type ProcessIdentity } from './identity.ts';
import { leadsSession } from './stat.ts';

const setAside = /(\.\d+)?( \(deleted\))?$/;

/** As it is when it is first asked: to be made anew for each look. */
export class OutputOwners {
  #pids: Map<string, number[]> | undefined;

  /** @returns the process that leads a session and writes to this log; the youngest of several. */
  of(logFile: string): ProcessIdentity | undefined {
    this.#pids ??= pidsByOutput();
    const pids = this.#pids.get(realFile(logFile)) ?? [];
    return pids
      .filter(leadsSession)
      .map(identify)
      .filter((found) => found !== undefined)
      .sort((a, b) => Number(b.startTime) - Number(a.startTime))[0];
  }
}

/** By the name that the log had when it was opened. */
function pidsByOutput(): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const name of processes()) {
    const output = outputOf(name);
    if (output === undefined || Number(name) === process.pid) continue;
    const log = output.replace(setAside, '');
    found.set(log, [...(found.get(log) ?? []), Number(name)]);
  }
  return found;
}

function processes(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Undefined for those that are gone, of the kernel, or another user's. */
function outputOf(pid: string): string | undefined {
  try {
    const output = readlinkSync(`/proc/${pid}/fd/1`);
    return output.startsWith('/') ? output : undefined;
  } catch {
    return undefined;
  }
}

/** The kernel names a file by the folder's real path. */
function realFile(file: string): string {
  try {
    return path.join(realpathSync(path.dirname(file)), path.basename(file));
  } catch {
    return file;
  }
}
