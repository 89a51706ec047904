import { readFileSync } from 'node:fs';
import { childrenOf } from '../../src/process/stat.ts';

/** The processes of mirrors that work for this agent, or, with another program, those of members' streams. */
export function workersOf(agentPid: number, program = 'mirror/worker.js'): number[] {
  return childrenOf(agentPid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program);
    } catch {
      return false;
    }
  });
}
