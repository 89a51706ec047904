/**
 * Who a process is. A pid alone proves nothing: the kernel gives it to the next process. A pid together with the
 * moment the process started is unique on a machine until it reboots.
 */
import { execFileSync } from 'node:child_process';
import { readStat } from './stat.ts';

export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own terms: clock ticks since boot on Linux, a date elsewhere. */
  startTime: string;
}

/** The process that has this pid now, or undefined when there is none or it is a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** True while that very process runs; false when it ended, also when its pid has been given away since. */
export function isRunning(identity: ProcessIdentity): boolean {
  const found = identify(identity.pid);
  return found !== undefined && found.startTime === identity.startTime;
}

/** Sends a signal to that very process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}

function linuxStartTime(pid: number): string | undefined {
  const stat = readStat(pid);
  return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat.startTime;
}

function psStartTime(pid: number): string | undefined {
  try {
    const [state = '', ...started] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}
