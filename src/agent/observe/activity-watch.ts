/** Looks several times a second at what the kernel says of each process of this host: topology/activity.ts, hang.ts. */
import { StatReader } from '../../process/stat.ts';
import type { Deployment } from '../deployment.ts';
import { SlowCommands } from './slow-commands.ts';

/** While every process does what it does all day: wakes are most of what an idle agent costs. */
const calmPaceMs = 200;
/** While one stands still, or computes. */
const paceMs = 100;

/** @returns what ends it. */
export function watchActivity(deployment: Deployment): () => void {
  const slow = new SlowCommands(deployment);
  const readers = new Map<string, StatReader>();
  const look = () => {
    let isStopped = false;
    let isCalm = true;
    for (const unit of deployment.units) {
      unit.noteActivity(readerOf(readers, unit)?.read());
      isStopped ||= unit.isStopped;
      isCalm &&= unit.isCalm;
    }
    slow.look();
    if (isStopped) deployment.wake();
    timer = setTimeout(look, isCalm ? calmPaceMs : paceMs);
  };
  let timer = setTimeout(look, paceMs);
  return () => {
    clearTimeout(timer);
    for (const reader of readers.values()) reader.close();
  };
}

function readerOf(
  readers: Map<string, StatReader>,
  { id, process: { pid } }: Deployment['units'][number],
): StatReader | undefined {
  const before = readers.get(id);
  if (before?.pid === pid) return before;
  before?.close();
  readers.delete(id);
  if (pid === null) return undefined;
  const reader = new StatReader(pid);
  readers.set(id, reader);
  return reader;
}
