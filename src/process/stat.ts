import { readFileSync } from 'node:fs';

/** What the kernel says of a process, of Linux's /proc/PID/stat (proc(5)). */
export interface ProcessStat {
  /** R runs, S sleeps, D waits for a disk, T was stopped by a signal, t by a debugger, Z is a zombie… */
  state: string;
  /** Processor time of all its threads, in ms. */
  cpuMs: number;
  /** When it started, in clock ticks since boot. */
  startTime: string;
}

/** USER_HZ, which is 100 on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** Undefined when there is no such process, or no /proc. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** From the third on, as far as they are looked at. It is read ten times a second for each process. */
const fieldsUsed = 20;

/** Fields 3 (state), 14 and 15 (utime, stime) and 22 (starttime). The name in field 2 may hold anything. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ', fieldsUsed);
  const [state = '', utime, stime, startTime] = [fields[0], fields[11], fields[12], fields[19]];
  const cpuMs = ((Number(utime) + Number(stime)) * 1000) / ticksPerSecond;
  if (state === '' || startTime === undefined || Number.isNaN(cpuMs)) return undefined;
  return { state, cpuMs, startTime };
}

/** Whether it began a session of its own, as everything does that is started detached: field 6 is its pid then. */
export function leadsSession(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, , , session] = text.slice(text.lastIndexOf(')') + 2).split(' ', 4);
    return Number(session) === pid;
  } catch {
    return false;
  }
}
