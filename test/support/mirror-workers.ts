import { readdirSync, readFileSync } from 'node:fs';

/** The processes of mirrors that work for this agent, or, with another program, those of members' streams. */
export function workersOf(agentPid: number, program = 'mirror/worker.js'): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return line.includes(program) && stat.split(') ')[1]?.split(' ')[1] === String(agentPid);
      } catch {
        return false;
      }
    })
    .map(Number);
}
