import { readFileSync } from 'node:fs';
import { childrenOf, readStat } from '../process/stat.ts';

/** Processor time that a process has used so far, in microseconds; null where there is no /proc. */
export function processCpuMicros(pid: number): number | null {
  const stat = readStat(pid);
  return stat === undefined ? null : stat.cpuMs * 1000;
}

/** The same together with those that it started and that run: the workers of a gate. */
export function familyCpuMicros(pid: number): number | null {
  const own = processCpuMicros(pid);
  return own === null
    ? null
    : childrenOf(pid).reduce((sum, child) => sum + (processCpuMicros(child) ?? 0), own);
}

/** Resident memory of a process, in bytes; null where there is no /proc. */
export function processMemoryBytes(pid: number): number | null {
  try {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return found === undefined ? null : Number(found) * 1024;
  } catch {
    return null;
  }
}
