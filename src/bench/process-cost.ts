import { readFileSync } from 'node:fs';

/** Linux reports processor time in ticks of a hundredth of a second to programs, whatever the kernel's own is. */
const tickMicros = 10_000;

/** Processor time that a process has used so far, in microseconds; null where there is no /proc. */
export function processCpuMicros(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * tickMicros;
  } catch {
    return null;
  }
}

/** The same together with those that it started and that run: the workers of a gate. */
export function familyCpuMicros(pid: number): number | null {
  const own = processCpuMicros(pid);
  return own === null
    ? null
    : childrenOf(pid).reduce((sum, child) => sum + (processCpuMicros(child) ?? 0), own);
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
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
