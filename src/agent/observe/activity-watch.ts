/** Looks several times a second at what the kernel says of each process of this host: topology/activity.ts, hang.ts. */
import { readStat } from '../../process/stat.ts';
import type { Deployment } from '../deployment.ts';
import { SlowCommands } from './slow-commands.ts';

const everyMs = 100;

/** @returns what ends it. */
export function watchActivity(deployment: Deployment): () => void {
  const slow = new SlowCommands(deployment);
  const look = () => {
    let isStopped = false;
    for (const unit of deployment.units) {
      const { pid } = unit.process;
      const stat = pid === null ? undefined : readStat(pid);
      unit.noteActivity(stat);
      isStopped ||= unit.isStopped;
    }
    slow.look();
    if (isStopped) deployment.wake();
  };
  const timer = setInterval(look, everyMs);
  return () => clearInterval(timer);
}
