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
