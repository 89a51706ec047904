import { readdirSync, readFileSync } from 'node:fs';

/** The processes of mirrors that work for this agent. */
export function workersOf(agentPid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return line.includes('mirror/worker.js') && stat.split(') ')[1]?.split(' ')[1] === String(agentPid);
      } catch {
        return false;
      }
    })
    .map(Number);
}
