import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

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

/** More than the kernel says of any process. */
const room = Buffer.alloc(4096);

/**
 * What the kernel says of one process, asked for again and again: its file stays open, which costs a fraction of opening it each
 * time. It is that very process: of another one with the same pid, later, it says nothing.
 */
export class StatReader {
  readonly pid: number;
  #file: number | null = null;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** Undefined when there is no such process, or no /proc. */
  read(): ProcessStat | undefined {
    try {
      this.#file ??= openSync(`/proc/${this.pid}/stat`, 'r');
      return parseStat(room.toString('latin1', 0, readSync(this.#file, room, 0, room.length, 0)));
    } catch {
      this.close();
      return undefined;
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

/** From the third on, as far as they are looked at. It is read several times a second for each process. */
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

/** The processes that it has started and that run; none when there is no such process, or no /proc. */
export function childrenOf(pid: number): number[] {
  try {
    // Each of its threads has its own.
    const lists = readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/children`);
    return lists.flatMap((list) => readFileSync(list, 'utf8').split(' ').filter(Boolean).map(Number));
  } catch {
    return [];
  }
}
